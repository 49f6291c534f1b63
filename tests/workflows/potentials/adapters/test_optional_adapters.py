"""Adapters of optional packages: really run where the package is installed (in an environment of its own)."""

import numpy as np
import pytest
from ase.calculators.lj import LennardJones
from model_force_fields import rock_salt
from one_line import error_in_one_line

from vitrion_models.errors import CheckpointError, InputError, MissingDependencyError
from vitrion_workflows import potentials
from vitrion_workflows.potentials.adapters import sevennet
from vitrion_workflows.potentials.checks.physical_checks import check_force_field, disturbed_cell
from vitrion_workflows.potentials.registry import ALIASES

pytestmark = pytest.mark.filterwarnings("ignore")  # of the packages


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sevennet", "sevennet:mf-0-r2scan"])
def test_sevennets_own_checkpoints_pass(name):
    pytest.importorskip("sevenn", reason="sevenn is not installed (it cannot live beside mace-torch)")
    assert all(report.passed for report in potentials.check(name))


@pytest.mark.slow
def test_mattersim_loads_a_file_as_users_bring_it(tmp_path, monkeypatch):
    pytest.importorskip("mattersim", reason="mattersim is not installed (it cannot live beside mace-torch)")
    import torch
    from mattersim.forcefield.m3gnet.m3gnet import M3Gnet

    torch.manual_seed(0)
    arguments = {"num_blocks": 1, "units": 16, "max_l": 2, "max_n": 2, "cutoff": 5.0, "threebody_cutoff": 4.0}
    model = M3Gnet(device="cpu", **arguments)
    stored = {"model_name": "m3gnet", "model_args": arguments, "model": model.state_dict()}
    torch.save(stored, tmp_path / "mine.pth")
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path / "weights"))
    potentials.install("mattersim-v1.0.0-1m", file=tmp_path / "mine.pth")
    field = potentials.load("mattersim-v1.0.0-1m")
    reports = check_force_field(field, disturbed_cell(field, seed=0))
    assert not [report for report in reports if not report.passed and "covered" not in report.name]


@pytest.mark.slow
def test_orb_loads_a_file_as_users_bring_it(tmp_path, monkeypatch):
    pytest.importorskip("orb_models", reason="orb-models is not installed")
    import torch
    from orb_models.forcefield import pretrained
    from orb_models.forcefield.atomic_system import SystemConfig

    config = SystemConfig(radius=6.0, max_num_neighbors=120)
    torch.save(pretrained.orb_v3_conservative_architecture(system_config=config).state_dict(), tmp_path / "mine.ckpt")
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path / "weights"))
    potentials.install("orb-v3-conservative-inf-omat", file=tmp_path / "mine.ckpt")
    result = potentials.load("orb-v3-conservative-inf-omat").evaluate(rock_salt(noise_A=0.1), stress=True)
    assert np.isfinite(result.energy_eV)
    assert result.stress_eV_per_A3.shape == (3, 3)


class Calculated(LennardJones):
    """What SevenNet's calculator looks like from outside."""

    def __init__(self, model, *, device, modal):  # noqa: ARG002
        if str(model).endswith("broken.pth"):
            raise RuntimeError("not a checkpoint\ntrace")
        if modal == "wrong":
            raise ValueError("unknown modal wrong (not in ['mpa'])")
        super().__init__(sigma=2.2, rc=6.0)
        self.type_map = {3: 0, 17: 1}


@pytest.fixture
def sevenn(monkeypatch, tmp_path):
    """A stand-in for the package, for what surrounds its calculator."""
    import sys
    import types
    from importlib.machinery import ModuleSpec

    folder = tmp_path / "sevenn" / "pretrained_potentials"
    (folder / "SevenNet_0__11Jul2024").mkdir(parents=True)
    (folder / "SevenNet_0__11Jul2024" / "checkpoint_sevennet_0.pth").write_bytes(b"changed")
    for name in ("sevenn", "sevenn.calculator"):
        module = types.ModuleType(name)
        module.SevenNetCalculator = Calculated
        module.__spec__ = ModuleSpec(name, None, origin=str(tmp_path / "sevenn" / "__init__.py"))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sevennet, "version", lambda _name: "0.13.0")
    return tmp_path


def test_a_file_of_the_users_is_named_by_its_hash_and_its_modality(sevenn):
    path = sevenn / "mine.pth"
    path.write_bytes(b"mine")
    plain, first, second = (potentials.load(f"sevennet:{path}{modal}") for modal in ("", "@mpa", "@omat24"))
    assert len({field.weights_sha256 for field in (plain, first, second)}) == 3
    assert plain.elements == {"Li", "Cl"}
    assert first.version == "mine.pth, mpa (sevenn 0.13.0)"
    assert np.abs(plain.evaluate(rock_salt(noise_A=0.1)).forces_eV_per_A).max() > 0


def test_damaged_files_and_wrong_modalities_are_refused_in_one_line(sevenn):
    for name, words in (("broken.pth", "not a checkpoint"), ("mine.pth@wrong", "unknown modal wrong")):
        (sevenn / name.partition("@")[0]).write_bytes(b"x")
        with error_in_one_line(CheckpointError, words):
            potentials.load(f"sevennet:{sevenn / name}")
    with pytest.raises(CheckpointError, match="has sha256"):
        potentials.load("sevennet")
    with pytest.raises(MissingDependencyError, match="not at"):
        potentials.load("sevennet:l3i5")
    with pytest.raises(MissingDependencyError, match="names no file"):
        potentials.load("sevennet:/no/such.pth")


def test_atomate2s_names_are_all_known():
    from atomate2.forcefields.utils import MLFF

    for member in MLFF:
        for name in (member.name, member.value):
            entry, argument = potentials.find(f"atomate2:{name}")
            assert (entry.name, argument) in {(ALIASES.get(f"atomate2:{name}"), ""), ("atomate2:", name)}


def test_atomate2s_other_names_are_made_by_atomate2(monkeypatch):
    from atomate2.forcefields import utils

    with pytest.raises(InputError, match="NoSuch"):
        potentials.load("atomate2:NoSuch")
    with pytest.raises(MissingDependencyError, match=r"atomate2:GAP needs a package: No module named 'quippy'"):
        potentials.load("atomate2:GAP")
    made = []

    def ase_calculator(meta, **arguments):
        made.append((meta, arguments))
        return LennardJones(sigma=2.2, rc=6.0)

    monkeypatch.setattr(utils, "ase_calculator", ase_calculator)
    field = potentials.load("atomate2:M3GNet")
    assert made == [(utils.MLFF.M3GNet, {"stress_unit": "eV/A3"})]
    assert field.name == "atomate2:M3GNet"
    assert field.weights_sha256 != potentials.load("atomate2:UPET").weights_sha256
    assert np.abs(field.evaluate(rock_salt(noise_A=0.1)).forces_eV_per_A).max() > 0


def test_atomate2s_chgnet_is_ours():
    assert potentials.find("atomate2:CHGNet")[0] is potentials.find("chgnet")[0]
