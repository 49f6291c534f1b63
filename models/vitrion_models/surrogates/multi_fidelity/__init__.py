"""Surrogate that learns from labels of several fidelities and predicts the highest."""
