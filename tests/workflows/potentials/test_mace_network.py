"""Our evaluation of MACE models against their own calculator in double precision, on models made here."""

import numpy as np
import pytest
from ase import Atoms
from model_force_fields import rock_salt

from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials.force_field import Cells

pytest.importorskip("mace", reason="mace-torch is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def made(path, **changes):
    import torch
    from e3nn import o3
    from mace import modules

    torch.manual_seed(1)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    blocks = modules.interaction_classes
    numbers = {
        "r_max": 4.5,
        "num_bessel": 6,
        "num_polynomial_cutoff": 5,
        "max_ell": 2,
        "interaction_cls": blocks["RealAgnosticResidualInteractionBlock"],
        "interaction_cls_first": blocks["RealAgnosticInteractionBlock"],
        "num_interactions": 2,
        "num_elements": 2,
        "hidden_irreps": o3.Irreps("8x0e"),
        "MLP_irreps": o3.Irreps("8x0e"),
        "gate": torch.nn.functional.silu,
        # Single precision cannot hold these.
        "atomic_energies": np.array([-203.123456789, -12518.987654321]),
        "avg_num_neighbors": 12.0,
        "atomic_numbers": [3, 17],
        "correlation": 2,
        "atomic_inter_scale": 1.0,
        "atomic_inter_shift": 0.3,
    }
    try:
        model = modules.ScaleShiftMACE(**(numbers | changes))
    finally:
        torch.set_default_dtype(default)
    torch.save(model, path)
    return path


@pytest.fixture(scope="module")
def scalar_file(tmp_path_factory):
    """Two layers of scalar features."""
    return made(tmp_path_factory.mktemp("mace") / "scalar.model")


@pytest.fixture(scope="module")
def vector_file(tmp_path_factory):
    """Features with directions: the general tensor product stays in the second layer."""
    from e3nn import o3

    return made(tmp_path_factory.mktemp("mace") / "vector.model", hidden_irreps=o3.Irreps("4x0e+4x1o"), max_ell=1)


@pytest.mark.parametrize("which", ["scalar_file", "vector_file"])
def test_energies_forces_and_stress_are_the_calculators_in_double(which, request, monkeypatch):
    path = request.getfixturevalue(which)
    field = potentials.load(f"mace:{path}")
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    from mace.calculators import MACECalculator

    calculator = MACECalculator(model_paths=str(path), device="cpu", default_dtype="float64")
    lattice = np.array([[2.9, 1.0, 0.3], [1.2, 4.0, 0.5], [-0.7, 0.6, 3.5]])
    squeezed = AtomicSystem([3, 17], [[0, 0, 0], [2.4, 0.2, 0.1]], lattice)
    apart = AtomicSystem([3, 17], [[0.0, 0, 0], [9, 9, 9]], np.eye(3) * 18)
    for system in (rock_salt(noise_A=0.2), squeezed, apart):
        ours = field.evaluate(system, stress=True)
        atoms = Atoms(numbers=system.numbers, positions=system.positions_A, cell=system.lattice_A, pbc=True)
        atoms.calc = calculator
        assert ours.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-5)
        np.testing.assert_allclose(ours.forces_eV_per_A, atoms.get_forces(), atol=1e-4)
        np.testing.assert_allclose(ours.stress_eV_per_A3, atoms.get_stress(voigt=False), atol=1e-5)


def test_a_cell_is_bitwise_the_same_alone_and_among_others(scalar_file):
    field, systems = potentials.load(f"mace:{scalar_file}"), [rock_salt(noise_A=0.1), rock_salt(noise_A=0.1, seed=2)]
    together = field.compute_batch(Cells.of(systems), np.concatenate([system.positions_A for system in systems]))
    for index, system in enumerate(systems):
        alone = potentials.load(f"mace:{scalar_file}").evaluate(system)
        assert together.energies_eV[index] == alone.energy_eV
        np.testing.assert_array_equal(together.forces_eV_per_A[8 * index : 8 * index + 8], alone.forces_eV_per_A)


@pytest.mark.usefixtures("scalar_file")  # which loads e3nn
def test_the_fast_convolution_replaces_only_what_it_can_do():
    from e3nn import o3
    from mace.modules import interaction_classes

    from vitrion_workflows.potentials.mace_convolution import fuse

    def interaction(hidden):
        return interaction_classes["RealAgnosticResidualInteractionBlock"](
            node_attrs_irreps=o3.Irreps("2x0e"),
            node_feats_irreps=o3.Irreps(hidden),
            edge_attrs_irreps=o3.Irreps.spherical_harmonics(2),
            edge_feats_irreps=o3.Irreps("4x0e"),
            target_irreps=o3.Irreps("4x0e+4x1o+4x2e"),
            hidden_irreps=o3.Irreps(hidden),
            avg_num_neighbors=10.0,
        )

    assert fuse(interaction("4x0e"))
    assert not fuse(interaction("4x0e+4x1o"))
