import sys
from importlib.util import find_spec

import numpy as np
import pytest
from model_force_fields import rock_salt
from one_line import error_in_one_line

from vitrion_models.errors import CheckpointError, InputError, MissingDependencyError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials import registry
from vitrion_workflows.potentials.weights import package
from vitrion_workflows.potentials.weights import package as weights


def test_entries_are_complete():
    names = [entry.name for entry in potentials.entries()]
    assert names[:6] == ["nep89", "chgnet", "chgnet:0.2.0", "chgnet:r2scan", "diep", "lennard-jones"]
    assert {"mace:", "mace-mpa-0", "sevennet", "sevennet:", "remote:", "pfp:", "atomate2:", "ase:"} <= set(names)
    assert {"orb-v3-conservative-inf-omat", "mattersim-v1.0.0-5m"} <= set(names)
    assert len(set(names)) == len(names)
    for entry in potentials.entries():
        texts = (entry.version, entry.licence, entry.functional, entry.speed, entry.citation, entry.how_to_install)
        assert all(texts)
        assert entry.speed_class in {"fast", "slow", "very slow", "unknown"}
        if not entry.name.endswith(":"):
            assert {"Li", "O", "S", "P", "Cl"} <= entry.elements
            # Either we know the sha256, or the user's own file is hashed when it is installed.
            assert (len(entry.weights_sha256) == 64) != (entry.user_weights is not None)


def test_no_two_entries_share_weights():
    hashes = [entry.weights_sha256 for entry in potentials.entries() if entry.weights_sha256]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize(
    ("name", "entry", "argument"),
    [
        ("chgnet:0.3.0", "chgnet", ""),
        ("chgnet:r2scan", "chgnet:r2scan", ""),
        ("mace:a:b.model", "mace:", "a:b.model"),
        ("atomate2:CHGNet", "chgnet", ""),
        ("atomate2:MACE_MPA_0", "mace-mpa-0", ""),
        ("atomate2:GAP", "atomate2:", "GAP"),
        ("sevennet:mine.pth@mpa", "sevennet:", "mine.pth@mpa"),
    ],
)
def test_names_lead_to_entries(name, entry, argument):
    chosen, rest = potentials.find(name)
    assert (chosen.name, rest) == (entry, argument)


def test_coverage_is_what_the_papers_say():
    assert len(potentials.find("nep89")[0].elements) == 89
    assert len(potentials.find("chgnet")[0].elements) == 89
    assert len(potentials.find("diep")[0].elements) == 89


def test_unknown_names_are_refused_with_the_known_ones():
    for name in ("nep90", "", "mace", "ase", "nep89:x"):
        with error_in_one_line(InputError, "no potential is called"):
            potentials.load(name)


def test_elements_outside_coverage_are_named():
    xenon = AtomicSystem([3, 118], [[0, 0, 0], [2, 2, 2]], np.eye(3) * 5)
    with error_in_one_line(InputError, "does not cover Og: choose another"):
        potentials.load("lennard-jones").evaluate(xenon)


def test_weights_folder_follows_its_setting(monkeypatch, tmp_path):
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path))
    assert potentials.weights_folder() == tmp_path
    monkeypatch.delenv("VITRION_POTENTIALS")
    assert potentials.weights_folder().parts[-2:] == ("vitrion", "potentials")


def test_absent_weights_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path))
    monkeypatch.setattr(package, "find_spec", lambda _name: find_spec("ase"))
    available = potentials.installed("nep89")
    assert not available.ok
    assert "vitrion potentials install nep89" in available.reason
    with error_in_one_line(MissingDependencyError, "vitrion potentials install nep89"):
        potentials.load("nep89")


def test_weights_of_another_sha256_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path))
    monkeypatch.setattr(package, "find_spec", lambda _name: find_spec("ase"))
    (tmp_path / "nep89.txt").write_text("nep4_zbl 1 H\n")
    assert "another sha256" in potentials.installed("nep89").reason
    with error_in_one_line(CheckpointError, r"nep89\.txt has sha256 .* needs 75168ece02e8"):
        potentials.load("nep89")


@pytest.mark.parametrize("name", ["nep89", "chgnet", "diep"])
def test_a_missing_package_is_named(monkeypatch, name):
    monkeypatch.setattr(package, "find_spec", lambda _name: None)
    assert not potentials.installed(name).ok
    with error_in_one_line(MissingDependencyError, "pip install"):
        potentials.load(name)


@pytest.mark.parametrize("name", ["chgnet", "diep"])
def test_a_package_with_other_weights_is_refused(monkeypatch, name):
    monkeypatch.setattr(weights, "sha256_of", lambda _path: "f" * 64)
    with error_in_one_line(CheckpointError, "sha256 ffffffffffff"):
        potentials.load(name)


def test_default_is_nep89_or_says_why_not(monkeypatch):
    monkeypatch.setattr(registry, "installed", lambda _name: potentials.Availability(ok=True, reason="here"))
    assert potentials.default_potential()[0] == "nep89"
    monkeypatch.setattr(registry, "installed", lambda _name: potentials.Availability(ok=False, reason="no file"))
    assert potentials.default_potential() == ("chgnet", "chgnet instead of nep89: no file")


def test_any_ase_calculator_can_be_named():
    field = potentials.load("ase:ase.calculators.lj:LennardJones")
    assert len(field.weights_sha256) == 64
    argon = AtomicSystem([18, 18], [[0, 0, 0], [1.2, 0, 0]], np.eye(3) * 12)
    assert field.evaluate(argon, stress=True).stress_eV_per_A3.shape == (3, 3)
    assert field.evaluate(argon).stress_eV_per_A3 is None
    again = potentials.load("ase:ase.calculators.lj:LennardJones")
    other = potentials.load("ase:ase.calculators.morse:MorsePotential")
    assert again.weights_sha256 == field.weights_sha256 != other.weights_sha256


@pytest.mark.parametrize(
    ("name", "error", "word"),
    [
        ("ase:", InputError, "names no calculator"),
        ("ase:ase.calculators.lj", InputError, "names no calculator"),
        ("ase:no.such.module:Class", MissingDependencyError, "cannot be imported"),
        ("ase:ase.calculators.lj:NoSuch", MissingDependencyError, "cannot be imported"),
        ("ase:ase.calculators.mixing:SumCalculator", InputError, "arguments"),
        ("mace:", MissingDependencyError, "names no file"),
        ("mace:/no/such.model", MissingDependencyError, "names no file"),
    ],
)
def test_wrong_arguments_are_refused(name, error, word):
    with error_in_one_line(error, word):
        potentials.load(name)


def test_importing_the_registry_stays_light():
    import subprocess

    code = (
        "import sys; from vitrion_workflows import potentials, dynamics; potentials.installed('chgnet');"
        "potentials.load('lennard-jones');"
        "print([m for m in ('torch', 'pymatgen', 'chgnet', 'diep', 'mace', 'jobflow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_evaluating_checks_coverage_and_computes():
    field = potentials.load("lennard-jones")
    system = rock_salt(noise_A=0.1)
    direct = field.compute(system.numbers, system.positions_A, system.lattice_A)
    assert field.evaluate(system).energy_eV == direct.energy_eV
