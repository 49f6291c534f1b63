"""Errors planted in the files of good labels: every one is refused, and no good one is."""

import json

import numpy as np
import pytest
from label_mutations import FORGED, LABEL_MUTATIONS, label_fault
from planted_errors import Claim, label
from pymatgen.core import Lattice, Structure
from sound_labels import labelled_cell, sound_label

from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.diffusivity import gates
from vitrion_workflows.diffusivity.gates import exponent_limit
from vitrion_workflows.dynamics import MDPlan, run_md
from vitrion_workflows.labelling.audit.account import Account, LabelledCell
from vitrion_workflows.labelling.audit.consistency import faults
from vitrion_workflows.labelling.audit.requirements import REQUIREMENTS
from vitrion_workflows.schemas import LabelState, failed_gates
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.schemas.label import LABEL_RULES
from vitrion_workflows.trajectories.frames import WRAPPED_STEP
from vitrion_workflows.transport.framework import MOLTEN_RATIO
from vitrion_workflows.validation import gates as validation_gates
from vitrion_workflows.validation import kinetic_consistency as equipartition
from vitrion_workflows.validation import plausibility, temperature
from vitrion_workflows.validation.ion_temperature import GATE, ion_temperature

MELTING_K, MELT_K, COLD_K = 2500.0, 1000.0, 250.0
MODEL = "lennard-jones"


def run(system, temperature_K, *, steps, seed):
    plan = MDPlan(
        steps=steps,
        time_step_fs=2.0,
        temperature_K=temperature_K,
        thermostat="langevin",
        friction_per_ps=10.0,
        frame_every=5,
        seed=seed,
    )
    return run_md(system, potentials.load(MODEL), plan)


@pytest.fixture(scope="module")
def melt():
    """Molten LiCl, 64 atoms, 6 ps in frames of 10 fs; and what was left of it."""
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.8), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    hot = run(system_from_structure(crystal * (2, 2, 2)), MELTING_K, steps=800, seed=1).system
    held = run(hot, MELT_K, steps=800, seed=2).system
    return Claim(run(held, MELT_K, steps=3000, seed=3).trajectory, temperature_K=MELT_K, friction_per_ps=10.0)


@pytest.fixture(scope="module")
def frozen():
    """The same crystal, cold: nothing jumps."""
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    still = run(system_from_structure(crystal * (2, 2, 2)), COLD_K, steps=800, seed=1).system
    return Claim(run(still, COLD_K, steps=3000, seed=2).trajectory, temperature_K=COLD_K, friction_per_ps=10.0)


def cell_of(claim):
    found = claim.trajectory
    return labelled_cell(AtomicSystem(found.numbers, found.positions_A[0], found.lattice_A))


@pytest.fixture(scope="module", params=["accepted", "censored"])
def good(request):
    """A label of a run, as its file holds it, and its cell."""
    claim = request.getfixturevalue("melt" if request.param == "accepted" else "frozen")
    outcome = label(claim)
    assert outcome.state == request.param, failed_gates(outcome.gates)
    return json.loads(outcome.model_dump_json()), cell_of(claim)


def test_a_good_label_is_taken(good):
    content, cell = good
    assert label_fault(content, cell) is None
    assert label_fault(content) is None


@pytest.mark.parametrize("name", LABEL_MUTATIONS)
def test_a_planted_error_is_refused(good, name):
    content, cell = good
    planted = LABEL_MUTATIONS[name](json.loads(json.dumps(content)))
    if planted is None or planted == content:
        pytest.skip("this label has nothing to plant it in")
    found = label_fault(planted, cell)
    assert found is not None
    assert "\n" not in found


@pytest.mark.parametrize(("growth", "contradicts"), [("1.25", False), ("1.20", True)])
def test_a_melt_whose_growth_is_rounded_to_the_edge_is_a_melt(good, growth, contradicts):
    """Of 348 sound labels one, of Na3PS4, was called contradictory: 1.252 is written as 1.25."""
    content, cell = good
    content = json.loads(json.dumps(content))
    ratio = 1.2 * MOLTEN_RATIO
    (gate,) = [one for one in content["gates"] if one["name"] == "framework"]
    gate |= {"value": ratio, "message": f"framework molten: moved {ratio:.2f} spacings, growth {growth}"}
    content |= {"framework_state": "molten", "motion": content["motion"] | {"turned": 0.22}}
    assert (label_fault(content, cell) is not None) is contradicts


@pytest.mark.parametrize("factor", ["0.8", "1.2"])
def test_a_temperature_forged_everywhere_is_refused_by_physics(good, factor):
    """Every number agrees but for the ions' own speed: 32 ions in 6 ps know their temperature within some 11 %."""
    content, cell = good
    assert label_fault(FORGED[f"temperature x {factor}, the ions' own adapted"](content), cell) is not None


def test_a_label_carries_exactly_the_gates_that_are_required(melt, frozen):
    """So that the list cannot rot: of a melt, of a frozen crystal, and of one species alone."""
    alone = melt.trajectory.numbers == 3
    trajectory = melt.trajectory
    lithium = melt.changed(
        numbers=trajectory.numbers[alone], positions_A=trajectory.positions_A[:, alone], masses_u=np.empty(0)
    )
    for claim in (melt, frozen, lithium):
        outcome = label(claim)
        # Gates of what could not be judged are told by their sentence: they fail, and no label is accepted with one.
        made = {gate.name for gate in outcome.gates if not gate.message.startswith("not judged")}
        missing = {gate.name for gate in outcome.gates} - made
        needed = {name for name, one in REQUIREMENTS.items() if one.needed(Account(outcome, cell_of(claim)))}
        rejected = outcome.state is LabelState.REJECTED
        # Whether a value is stated decides which gates there are; a rejected label may have either set.
        free = {"straight", "exponent", "halves_agree", "bound"} if rejected else set()
        assert made - free == needed - missing - free


# Versions of the rules and their gates. Whoever adds or removes one, or changes its level, raises
# `schemas.label.LABEL_RULES` and enters the new number here: labels that were never asked are then told from those that
# passed.
RULES = {
    2: "ballistic_bound bound contact density drift equilibrated exponent frame_interval framework halves_agree "
    "ion_temperature missing_frame planned_interval recorded_course recorded_temperature repeated_frame resolved "
    "set_temperature signal species_mass species_temperature steady_temperature straight sublattice_flow temperature "
    "temperature_known unwrapped",
    3: "ballistic_bound bound contact density drift equilibrated exponent frame_interval framework free_flight "
    "halves_agree ion_temperature missing_frame planned_interval recorded_course recorded_temperature repeated_frame "
    "resolved set_temperature signal species_mass species_temperature steady_temperature straight sublattice_flow "
    "temperature temperature_known unwrapped volume",
}
RULES[5] = RULES[4] = RULES[3]  # other levels
# Levels that do not follow from a label itself; the exponent's for 0.5, 0.8 and 0.95 in 3, 6 and 12 ps.
LEVELS = {
    4: "1.25 4 3 4.53 3 0.2 10 2.5 0.05 2.81 | -3 0 3 3.51 3.51 3.51 56.2 56.2 56.2",
    5: "1.25 4 3 4.53 3 0.2 10 2.5 0.05 2.81 0.03 3 0.05 "
    "0.05 0.4 0.01 3.5 0.05 4 0.85 4.03 0.45 0.3 4 | "
    "-3 0 3 3 3 3 56.2 56.2 56.2 | -3 3 3 3.51 3.51 3.51 56.2 56.2 56.2",
}


def levels():
    fixed = (
        validation_gates.BALLISTIC_LIMIT,
        validation_gates.BALLISTIC_SIGMAS,
        gates.SIGMAS,
        validation_gates.DRIFT_LIMIT_SIGMAS,
        gates.LARGEST_ANOMALY,
        gates.LARGEST_BEND,
        gates.FEWEST_JUMPS,
        gates.SMALLEST_SIGNAL,
        temperature.TOLERANCE,
        temperature.STEADY_SIGMAS,
        equipartition.CELL_TOLERANCE,
        equipartition.CELL_SIGMAS,
        equipartition.CELL_SCATTER_AT_MOST,
        equipartition.LARGEST_UNSEEN,
        equipartition.LARGEST_SCATTER,
        equipartition.THERMOMETER_TOLERANCE,
        equipartition.THERMOMETER_SIGMAS,
        equipartition.COURSE_TOLERANCE,
        equipartition.COURSE_SIGMAS,
        WRAPPED_STEP,
        validation_gates.FASTEST_CELL,
        plausibility.LEAST_CONTACT,
        *plausibility.VOLUME_RATIOS,
    )
    limits = [
        [
            exponent_limit(exponent, stderr=0.05, window_ps=(1.0, 4.0), duration_ps=duration, scale_free=scale_free)
            for exponent in (0.5, 0.8, 0.95)
            for duration in (3.0, 6.0, 12.0)
        ]
        for scale_free in (True, False)
    ]
    return " | ".join(" ".join(f"{one:.3g}" for one in part) for part in (fixed, *limits))


def test_the_version_of_the_rules_names_their_gates():
    assert RULES[LABEL_RULES].split() == sorted(REQUIREMENTS)
    assert LEVELS[LABEL_RULES] == levels()


def test_the_table_is_a_thermometer(melt):
    outcome = label(melt)
    seen = ion_temperature(outcome.msd, mass_u=6.94, frame_interval_ps=outcome.method.frame_interval_ps)
    assert seen.telling
    gate = next(gate for gate in outcome.gates if gate.name == GATE)
    # 32 ions, 40 readings of 0.15 ps: 2.3 % is one standard error, m / M = 0.5 % the cell's own share.
    assert seen.temperature_K == pytest.approx(outcome.mean_temperature_K, rel=0.08)
    assert gate.value == pytest.approx(seen.temperature_K / outcome.mean_temperature_K, rel=1e-6)


@pytest.mark.parametrize("state", ["accepted", "censored"])
@pytest.mark.parametrize("temperature_K", [300.0, 1000.0, 2500.0])
@pytest.mark.parametrize("counts", [{"Li": 32, "Cl": 32}, {"Li": 54}, {"Na": 12, "P": 4, "S": 16}])
def test_an_invented_label_that_agrees_with_itself_is_taken(counts, temperature_K, state):
    """What other tests store instead of a run's label."""
    cell = LabelledCell(counts, 20.0 * sum(counts.values()))
    species = next(iter(counts))
    made = sound_label(cell, "f" * 64, value=5e-5, temperature_K=temperature_K, species=species, state=state)
    assert faults(made, cell=cell, foreign=True) == []


def test_frames_too_far_apart_to_tell_are_refused_from_elsewhere():
    cell = LabelledCell({"Li": 32, "Cl": 32}, 1300.0)
    made = sound_label(cell, "f" * 64, value=5e-5)
    blunt = made.msd.model_copy(update={"msd_A2": tuple(np.array(made.msd.lag_ps) * 3.0)})
    assert faults(made.model_copy(update={"msd": blunt}), cell=cell, foreign=True)
