"""Linear head that corrects another model's output, zero before training."""

from typing import Any

from torch import Tensor, nn

from vitrion_models.layers.linear import zero_linear


class CorrectionNetwork(nn.Module):
    """Backbone and linear head: batch of B graphs -> corrections, shape (B, outputs).

    Attributes:
        backbone: graph -> embedding of the given width.
        head: embedding -> corrections; its weights start at zero: an untrained network corrects nothing.
    """

    def __init__(self, backbone: nn.Module, *, width: int, outputs: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = zero_linear(width, outputs)

    def forward(self, graphs: Any) -> Tensor:
        """Return the corrections of a batch of B graphs, shape (B, outputs)."""
        corrections: Tensor = self.head(self.backbone(graphs))
        return corrections
