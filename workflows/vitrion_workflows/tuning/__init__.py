"""Tuning of a neuroevolution potential to a reference potential, or to DFT frames, for one chemistry."""
