"""BiCodec, the codec of Spark-TTS: speech to semantic and global tokens, and back to 16 kHz speech.

``encoder`` hears a recording, ``decoder`` speaks tokens; the other modules are the networks they are made of, with the
attribute names of the checkpoint. Batches hold items of different lengths: ``lengths`` tells them (``None``: all are as
long as the batch), and what is behind the end of an item is kept at zero wherever a convolution looks, so that a batch
gives what each item gives alone.
"""
