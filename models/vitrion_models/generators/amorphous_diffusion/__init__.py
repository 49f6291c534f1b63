"""Amorphous diffusion: coordinates of a glass denoised from uniform noise in a given cell; see README.md."""
