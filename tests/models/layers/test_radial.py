import numpy as np
import pytest
import torch
from scipy.special import spherical_jn

from vitrion_models.layers.radial import BesselBasis, GaussianBasis, polynomial_envelope

CUTOFF = 5.0
DISTANCES = torch.linspace(0.5, 6.0, 200, dtype=torch.float64)


@pytest.mark.parametrize("basis", [BesselBasis(6, CUTOFF), GaussianBasis(6, CUTOFF)])
def test_basis_vanishes_smoothly_at_the_cutoff(basis):
    near = torch.tensor([CUTOFF - 1e-4, CUTOFF, CUTOFF + 1e-4, 9.0], dtype=torch.float64, requires_grad=True)
    values = basis(near)
    slope = torch.autograd.grad(values.sum(), near)[0]
    assert values.shape == (4, 6)
    assert values.abs().max() < 1e-8
    assert slope.abs().max() < 1e-3


def test_bessel_basis_is_the_spherical_bessel_function():
    basis = BesselBasis(4, CUTOFF)(DISTANCES).numpy()
    r = DISTANCES.numpy()
    envelope = polynomial_envelope(DISTANCES, CUTOFF).numpy()
    for n in range(1, 5):
        k = n * np.pi / CUTOFF
        assert basis[:, n - 1] == pytest.approx(np.sqrt(2 / CUTOFF) * k * spherical_jn(0, k * r) * envelope, abs=1e-10)


def test_envelope_is_one_at_zero_and_falls():
    values = polynomial_envelope(torch.linspace(0, CUTOFF, 100, dtype=torch.float64), CUTOFF)
    assert values[0] == 1.0
    assert values[-1] == pytest.approx(0, abs=1e-12)
    assert (values.diff() <= 1e-12).all()


def test_gaussian_basis_peaks_at_its_centres():
    basis = GaussianBasis(6, CUTOFF)
    inner = basis(DISTANCES[DISTANCES < 3.0]) / polynomial_envelope(DISTANCES[DISTANCES < 3.0], CUTOFF)[:, None]
    assert DISTANCES[inner[:, 2].argmax()] == pytest.approx(2.0, abs=0.02)
