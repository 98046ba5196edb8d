"""SNAC at 24 kHz, the codec of Orpheus-TTS, as far as speaking needs it: frames of codes to samples.

``snac`` are the networks, with the attribute names of the checkpoint; ``extent`` says which part of every layer a
stretch of samples depends on; ``noise`` is the breath that the network adds; ``decoder`` puts them together.
"""
