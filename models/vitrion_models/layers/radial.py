"""Radial bases: distances -> smooth features that vanish at the cutoff."""

import math

import torch
from torch import Tensor, nn

ENVELOPE_POWER = 6


def polynomial_envelope(distances_A: Tensor, cutoff_A: float, *, power: int = ENVELOPE_POWER) -> Tensor:
    """Return a factor that falls from 1 at zero to 0 at the cutoff, with continuous first and second derivatives.

    Gasteiger et al., ICLR 2020 (arXiv 2003.03123), equation 8: ``1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2
    x^(p+2)`` with x the distance over the cutoff.

    Args:
        distances_A: distances in Angstrom, any shape.
        cutoff_A: radius beyond which the factor is zero.
        power: p; a greater one keeps the factor near 1 up to larger distances.
    """
    x = distances_A / cutoff_A
    p = float(power)
    value = (
        1.0
        - (p + 1.0) * (p + 2.0) / 2.0 * x**power
        + p * (p + 2.0) * x ** (power + 1)
        - p * (p + 1.0) / 2.0 * x ** (power + 2)
    )
    return torch.where(x < 1.0, value, torch.zeros_like(value))


class BesselBasis(nn.Module):
    """Spherical Bessel functions of order zero times the envelope.

    ``sqrt(2/c) sin(n pi d / c) / d``, n = 1..count (arXiv 2003.03123, equation 7).

    Attributes:
        cutoff_A: radius.
        count: number of functions K.
    """

    frequencies: Tensor

    def __init__(self, count: int, cutoff_A: float) -> None:
        super().__init__()
        self.count = count
        self.cutoff_A = cutoff_A
        # Integers: exact in any floating type.
        self.register_buffer("frequencies", torch.arange(1, count + 1, dtype=torch.float32), persistent=False)

    def forward(self, distances_A: Tensor) -> Tensor:
        """Return the basis of distances (Angstrom, shape (E,)), shape (E, K)."""
        angle = (math.pi / self.cutoff_A) * self.frequencies.to(distances_A.dtype) * distances_A[:, None]
        radial = math.sqrt(2.0 / self.cutoff_A) * torch.sin(angle) / distances_A[:, None]
        return radial * polynomial_envelope(distances_A, self.cutoff_A)[:, None]


class GaussianBasis(nn.Module):
    """Gaussians at equal steps from zero to the cutoff times the envelope (as in SchNet).

    Attributes:
        cutoff_A: radius.
        count: number of functions K; each is as wide as the step between them.
    """

    def __init__(self, count: int, cutoff_A: float) -> None:
        super().__init__()
        self.count = count
        self.cutoff_A = cutoff_A

    def forward(self, distances_A: Tensor) -> Tensor:
        """Return the basis of distances (Angstrom, shape (E,)), shape (E, K)."""
        centres = torch.linspace(0.0, self.cutoff_A, self.count, dtype=distances_A.dtype, device=distances_A.device)
        width = self.cutoff_A / max(self.count - 1, 1)
        radial = torch.exp(-0.5 * ((distances_A[:, None] - centres) / width) ** 2)
        return radial * polynomial_envelope(distances_A, self.cutoff_A)[:, None]
