"""Layers that surrogates and generators share: radial bases, message passing, pooling, linear.

Import the modules by name; they need torch alone. No layer normalises over a batch: a prediction must not depend on the
rest of the batch.
"""
