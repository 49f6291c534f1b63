"""Linear layer whose output is zero before training."""

from torch import nn


def zero_linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a linear layer with zero weights and biases."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
