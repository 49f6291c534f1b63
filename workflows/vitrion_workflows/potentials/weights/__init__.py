"""Weights of potentials: where they lie, how they are identified, installed and checked."""
