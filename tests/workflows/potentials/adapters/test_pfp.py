"""PFP's adapter, on a stand-in of its licensed client with the shapes of its published reference."""

import hashlib
import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones
from model_force_fields import assert_same_forces, calculated, rock_salt
from one_line import error_in_one_line

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials.remote import RemoteError
from vitrion_workflows.potentials.weights import package

MODES = ("PBE", "PBE_U", "R2SCAN", "R2SCAN_PLUS_D3")
VERSIONS = ("v7.0.0", "v8.0.0")


class Estimator:
    """Keyword names and behaviour of `pfp_api_client.pfp.estimator.Estimator`, of which the adapter uses little."""

    fault: Exception | None = None

    def __init__(self, max_retries=10, model_version=None, *, calc_mode=None):
        if model_version not in VERSIONS:
            raise ValueError(f"model_version {model_version} is not supported")
        if calc_mode not in MODES:
            raise ValueError(f"Unsupported calc_mode {calc_mode}\nsecond line")
        self.model_version, self.calc_mode, self.max_retries = model_version, calc_mode, max_retries
        self.implemented_properties = ["energy", "forces", "virial", "charges"]
        self.attached = None

    def attach_to_calculator(self, calculator):
        if self.attached is not None:
            raise RuntimeError("one estimator, one calculator")
        self.attached = calculator

    def supported_elements(self, model_version=None, *, calc_mode=None):  # noqa: ARG002
        return ["Li", "Cl", "O"] if model_version == "v8.0.0" else ["Li", "O"]

    def estimate(self, atoms):
        """Single precision, a virial in the order of Voigt that is positive for tension, charges, messages."""
        if self.fault is not None:
            raise self.fault
        other = atoms.copy()
        other.calc = LennardJones(sigma=2.2, rc=6.0)
        return {
            "energy": float(other.get_potential_energy()),
            "forces": other.get_forces().astype(np.float32),
            "virial": (other.get_stress() * other.get_volume()).astype(np.float32),
            "charges": np.zeros(len(atoms), np.float32),
        }


class ASECalculator(Calculator):
    """`pfp_api_client.pfp.calculators.ase_calculator.ASECalculator`: whatever is asked, it returns the same set."""

    def __init__(self, estimator):
        super().__init__()
        estimator.attach_to_calculator(self)
        self.estimator = estimator
        self.implemented_properties = ["energy", "free_energy", "forces", "stress", "charges"]

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results = self.estimator.estimate(self.atoms)
        self.results["free_energy"] = self.results["energy"]
        self.results["stress"] = self.results.pop("virial").astype(np.float64) / self.atoms.get_volume()


@pytest.fixture
def client(monkeypatch):
    """The licensed client, as if it were installed."""
    names = ("", ".pfp", ".pfp.estimator", ".pfp.calculators", ".pfp.calculators.ase_calculator")
    modules = {f"pfp_api_client{name}": types.ModuleType(f"pfp_api_client{name}") for name in names}
    for name, module in modules.items():
        module.__path__ = []
        module.__spec__ = ModuleSpec(name, None, origin="pfp_api_client/__init__.py")
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(Estimator, "fault", None)
    modules["pfp_api_client.pfp.estimator"].Estimator = Estimator
    modules["pfp_api_client.pfp.calculators.ase_calculator"].ASECalculator = ASECalculator


@pytest.mark.usefixtures("client")
def test_forces_energy_and_stress_are_the_services():
    field = potentials.load("pfp:R2SCAN@v8.0.0")
    system = rock_salt(noise_A=0.1)
    expected = calculated(system, LennardJones(sigma=2.2, rc=6.0))
    result = field.evaluate(system, stress=True)
    assert_same_forces(result, expected, energy_eV=1e-6, force_eV_per_A=1e-5, stress_eV_per_A3=1e-7)
    assert result.forces_eV_per_A.dtype == np.float64


@pytest.mark.usefixtures("client")
def test_mode_and_version_are_the_identity():
    fields = [potentials.load(f"pfp:{mode}@{version}") for mode in MODES for version in VERSIONS]
    assert len({field.weights_sha256 for field in fields}) == len(fields)
    field = potentials.load("pfp:r2scan@v8.0.0")
    assert field.name == "pfp:R2SCAN@v8.0.0"
    assert field.weights_sha256 == hashlib.sha256(b"pfp:R2SCAN@v8.0.0").hexdigest()
    assert field.version.startswith("v8.0.0 R2SCAN (pfp-api-client ")
    assert field.elements == {"Li", "Cl", "O"}
    with pytest.raises(InputError, match="does not cover Cl"):
        potentials.load("pfp:PBE@v7.0.0").evaluate(rock_salt())


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("", "mode and version"),
        ("R2SCAN", "mode and version"),
        ("R2SCAN@latest", "mode and version"),
        ("R2SCAN@v8", "mode and version"),
        ("NO_SUCH@v8.0.0", "Unsupported calc_mode NO_SUCH"),
        ("PBE@v99.0.0", "model_version v99.0.0 is not supported"),
    ],
)
def test_what_is_left_open_or_not_offered_is_refused(argument, words):
    with error_in_one_line(InputError, words):
        potentials.load(f"pfp:{argument}")


@pytest.mark.usefixtures("client")
def test_a_service_that_does_not_answer_is_a_fault_of_the_machine(monkeypatch):
    field = potentials.load("pfp:PBE@v8.0.0")
    monkeypatch.setattr(Estimator, "fault", RuntimeError("token has expired\ntrace"))
    with pytest.raises(RemoteError, match=r"pfp:PBE@v8\.0\.0: token has expired") as caught:
        field.evaluate(AtomicSystem([3], [[0.0, 0, 0]], np.eye(3) * 3))
    assert isinstance(caught.value, OSError)
    monkeypatch.setattr(Estimator, "__init__", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no licence")))
    with pytest.raises(MissingDependencyError, match="no licence: install pfp-api-client"):
        potentials.load("pfp:PBE@v8.0.0")


@pytest.mark.usefixtures("client")
def test_a_service_that_swaps_the_version_is_refused(monkeypatch):
    monkeypatch.setattr(Estimator, "model_version", property(lambda _: "v8.0.1", lambda *_: None), raising=False)
    with pytest.raises(InputError, match=r"offers v8\.0\.1 instead"):
        potentials.load("pfp:PBE@v8.0.0")


def test_without_the_client_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(package, "find_spec", lambda _name: None)
    assert not potentials.installed("pfp:PBE@v8.0.0").ok
    with pytest.raises(MissingDependencyError, match="comes with a licence"):
        potentials.load("pfp:PBE@v8.0.0")
