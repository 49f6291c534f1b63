"""Grouped splits, checkpoints (safetensors + JSON), metrics and the promotion of a retrained model."""
