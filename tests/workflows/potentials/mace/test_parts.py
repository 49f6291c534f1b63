"""Parts of the folded MACE models against formulas: tables of radial functions, harmonics, polynomials."""

from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from vitrion_workflows.potentials.mace.contraction import gradient_coefficients, polynomials  # noqa: E402
from vitrion_workflows.potentials.mace.harmonics import Harmonics  # noqa: E402
from vitrion_workflows.potentials.mace.radial import RadialTable  # noqa: E402


def waves(kind):
    """Spherical Bessel functions of order zero, faster ones for higher kinds."""
    return lambda distances: torch.stack([torch.sin((kind + n) * distances) / distances for n in (1, 5)], dim=1)


def test_a_table_gives_values_and_slopes_to_single_precision():
    table = RadialTable(waves, 5.0, "cpu")
    table.require([2, 0])
    distances = torch.linspace(0.3, 4.999, 997, dtype=torch.float64)
    kinds = torch.arange(997) % 2 * 2
    values, slopes = table(distances, kinds)
    for column, order in enumerate((1, 5)):
        k = kinds + order
        torch.testing.assert_close(values[:, column].double(), torch.sin(k * distances) / distances, atol=2e-6, rtol=0)
        exact = (k * torch.cos(k * distances) - torch.sin(k * distances) / distances) / distances
        torch.testing.assert_close(slopes[:, column].double(), exact, atol=2e-5, rtol=0)


def test_a_table_does_not_depend_on_what_was_required_before():
    # Or a run that goes on would part from one that never stopped.
    one, other = RadialTable(waves, 5.0, "cpu"), RadialTable(waves, 5.0, "cpu")
    one.require([3])
    one.require([1, 3])
    other.require([1])
    distances, kinds = torch.linspace(0.5, 4.9, 50, dtype=torch.float64), torch.ones(50, dtype=torch.int64)
    for ours, theirs in zip(one(distances, kinds), other(distances, kinds), strict=True):
        assert torch.equal(ours, theirs)


def solid(vectors):
    """Harmonics up to l = 2 of unit vectors along the vectors, by their formulas (not normalized)."""
    x, y, z = (vectors / vectors.norm(dim=1, keepdim=True)).unbind(1)
    columns = [torch.ones_like(x), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return torch.stack(columns, dim=1)


def test_harmonics_and_their_slopes_are_those_of_the_formulas():
    harmonics = Harmonics(solid, 2, "cpu")
    generator = torch.Generator().manual_seed(3)
    vectors = torch.randn(20, 3, generator=generator, dtype=torch.float64).requires_grad_()
    lengths = vectors.detach().norm(dim=1, keepdim=True)
    directions = vectors.detach() / lengths
    values, slopes = harmonics(directions.float())
    exact = solid(vectors)
    torch.testing.assert_close(values.double(), exact.detach(), atol=1e-6, rtol=0)
    assert harmonics.parity.tolist() == [1, -1, -1, -1, 1, 1, 1, 1, 1]
    for column in range(9):
        (wanted,) = torch.autograd.grad(exact[:, column].sum(), vectors, retain_graph=True)
        gradient = slopes[:, :, column].double()
        tangential = gradient - (gradient * directions).sum(1, keepdim=True) * directions
        torch.testing.assert_close(tangential / lengths, wanted, atol=2e-6, rtol=0)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4])
def test_polynomials_and_their_gradient_are_the_contraction_term_by_term(degrees):
    generator = np.random.default_rng(5)
    inputs, channels, atoms, paths = 3, 2, 4, 2
    weights = [generator.normal(size=(paths, channels)) for _ in range(degrees)]
    # One block of one output, one of three.
    blocks = [
        [generator.normal(size=(*lead, *(inputs,) * (n + 1), paths)) for n in range(degrees)] for lead in ((), (3,))
    ]
    x = generator.normal(size=(channels, inputs, atoms))

    def brute(values):
        total = np.zeros((channels, 4, atoms))
        for n in range(degrees):
            couplings = np.concatenate([blocks[0][n][None], blocks[1][n]])
            for name in product(range(inputs), repeat=n + 1):
                term = np.prod([values[:, i] for i in name], axis=0)
                total += (
                    np.einsum("op,pc->co", couplings[(slice(None), *name)], weights[n])[:, :, None] * (term[:, None])
                )
        return total

    as_tensors = [[torch.from_numpy(one) for one in block] for block in blocks]
    coefficients = gradient_coefficients(as_tensors, [[torch.from_numpy(one) for one in weights]] * 2)
    given = torch.from_numpy(x).requires_grad_()
    values = polynomials(given, [(slice(0, 3), coefficients), (slice(3, 4), coefficients)])
    np.testing.assert_allclose(values.detach(), brute(x), atol=1e-12)
    along, turn = generator.normal(size=values.shape), generator.normal(size=x.shape)
    (gradient,) = torch.autograd.grad((values * torch.from_numpy(along)).sum(), given)
    numerical = ((brute(x + 1e-5 * turn) - brute(x - 1e-5 * turn)) * along).sum() / 2e-5
    assert (gradient.numpy() * turn).sum() == pytest.approx(numerical, rel=1e-8)
