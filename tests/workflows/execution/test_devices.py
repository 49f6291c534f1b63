"""The device: chosen for each run, recorded with its result, and no part of any identity."""

import pytest
from flow_runs import LICL, run
from stub_potentials import STUB

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows import potentials
from vitrion_workflows.amorphous import PROTOCOLS
from vitrion_workflows.execution.engines import force_field, jobs_run_on, usable_potential
from vitrion_workflows.flows import DiffusivityMaker, MeltQuenchMaker, ReferenceMaker, RelaxGeneratedMaker
from vitrion_workflows.potentials import devices, find
from vitrion_workflows.potentials.devices import choose_device
from vitrion_workflows.schemas import LabelProtocol, fingerprint, outcome_key

pytestmark = [pytest.mark.filterwarnings("ignore:cd is deprecated"), pytest.mark.usefixtures("scratch")]

PROTOCOL = LabelProtocol(production_ps=1.0)


def label(device):
    maker = DiffusivityMaker(potential=STUB, protocol=PROTOCOL, device=device)
    return maker, maker.make(LICL, temperature_K=900, seed=3)


@pytest.mark.parametrize(("asked", "used"), [("auto", "cuda"), ("cpu", "cpu"), ("cuda", "cuda"), ("cuda:1", "cuda:1")])
def test_a_label_runs_on_its_device_and_says_so(loaded_on, asked, used):
    _, flow = label(asked)
    outcome = run(flow)
    assert loaded_on == [used]
    assert outcome.device == used


def test_auto_takes_the_cpu_where_there_is_no_gpu(loaded_on, monkeypatch):
    monkeypatch.setattr(devices, "count_gpus", lambda: 0)
    assert run(label("auto")[1]).device == "cpu"
    assert loaded_on == ["cpu"]


@pytest.mark.usefixtures("loaded_on")
def test_the_key_of_a_label_does_not_depend_on_the_device():
    makers = [label(device)[0] for device in ("cpu", "cuda:1")]
    keys = {maker.key(fingerprint(LICL), temperature_K=900, seed=3) for maker in makers}
    assert len(keys) == 1
    assert outcome_key(run(label("cuda:1")[1])) in keys
    assert "device" not in LabelProtocol.model_fields


@pytest.mark.usefixtures("loaded_on")
def test_a_label_begun_on_one_device_is_found_on_another():
    first = run(label("cpu")[1])
    assert run(label("cuda:1")[1]) == first


def test_every_maker_runs_on_its_device(loaded_on):
    packed = LICL.copy()
    packed.perturb(0.1)
    protocol = PROTOCOLS["quickstart"].model_copy(update={"melt_ps": 0.2, "quench_ps": 0.2, "hold_ps": 0.1})
    cells = [
        MeltQuenchMaker(potential=STUB, protocol=protocol, volume=19.0, device="cuda:1").make(
            "LiCl", n_atoms=24, seed=1
        ),
        RelaxGeneratedMaker(potential=STUB, hold_ps=0.1, device="cuda:1").make(packed, model_version="x", seed=1),
    ]
    reference = ReferenceMaker(
        potential=STUB, production_potential=STUB, protocol=PROTOCOL, equilibration_ps=0.2, device="cuda:1"
    )
    outcomes = [run(flow) for flow in (*cells, reference.make(LICL, temperature_K=900, seed=3))]
    assert [outcome.device for outcome in outcomes] == ["cuda:1"] * 3
    assert set(loaded_on) == {"cuda:1"}


@pytest.mark.usefixtures("loaded_on")
def test_the_device_of_a_worker_overrules_that_of_a_flow():
    with jobs_run_on("cuda:1"):
        assert run(label("cpu")[1]).device == "cuda:1"
    assert force_field(STUB, "cpu").device == "cpu"
    with pytest.raises(InputError, match="gpu7"), jobs_run_on("gpu7"):
        pass


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:-1", "CUDA", ""])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(InputError, match="device"):
        potentials.load("lennard-jones", device=device)


def test_a_gpu_that_is_not_there_is_refused(loaded_on, monkeypatch):
    with pytest.raises(MissingDependencyError, match="cuda:2"):
        usable_potential(STUB, elements=["Li"], device="cuda:2")
    monkeypatch.setattr(devices, "count_gpus", lambda: 0)
    with pytest.raises(MissingDependencyError, match="cuda"):
        usable_potential(STUB, elements=["Li"], device="cuda")
    assert loaded_on == []


@pytest.mark.usefixtures("loaded_on")
@pytest.mark.parametrize("name", ["lennard-jones", "remote:", "pfp:", "ase:", "atomate2:"])
def test_a_potential_that_cannot_use_a_gpu_refuses_one(name):
    entry, _ = find(name)
    assert choose_device(entry, "auto") == "cpu"
    with pytest.raises(InputError, match="cuda"):
        choose_device(entry, "cuda")
