"""The networks of MegaTTS 3 between text and latents: aligner, duration, diffusion."""
