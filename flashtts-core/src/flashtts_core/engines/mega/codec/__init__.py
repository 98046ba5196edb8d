"""WavVAE, the codec of MegaTTS 3: latents to sound."""
