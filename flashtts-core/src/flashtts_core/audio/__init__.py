"""Audio as arrays: decoding, encoding, resampling, stretching, and cutting streams of codes into spans and joins.

Samples are mono float32 in [-1, 1] everywhere. Nothing here waits: no asyncio, no threads, no torch.
"""
