"""Whatever way an outcome comes to `labels.add`: one that contradicts itself or its cell is refused in one line."""

import numpy as np
import pytest
from sound_labels import METHOD, labelled_cell, sound_label

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import FrameworkState, LabelState

SYSTEM = AtomicSystem(np.repeat([3, 16], 6), np.random.default_rng(0).uniform(0, 7, (12, 3)), np.eye(3) * 7)


@pytest.fixture
def sound(embedded_db):
    fingerprint = embedded_db.structures.add(SYSTEM, kind="amorphous").fingerprint
    return sound_label(labelled_cell(SYSTEM), fingerprint, value=1e-4)


@pytest.mark.parametrize("state", ["accepted", "censored"])
def test_a_sound_label_is_stored(embedded_db, sound, state):
    made = sound_label(labelled_cell(SYSTEM), sound.structure_fingerprint, value=1e-4, state=state)
    assert embedded_db.labels.contradictions(made) == []
    assert embedded_db.labels.add(made).created
    assert embedded_db.labels.count(state=state) == 1


def scaled(label, factor):
    return {
        "value": label.value * factor,
        "interval_68": tuple(edge * factor for edge in label.interval_68),
        "interval_95": tuple(edge * factor for edge in label.interval_95),
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda made: scaled(made, 3), "2 ions, its cell has 6"),
        (lambda made: scaled(made, 1000), "above what Li can reach"),
        (lambda _: {"species": "Na"}, "Na is not in its cell of Li6 S6"),
        (lambda _: {"species": "S"}, "ion_temperature"),
        (lambda _: {"property": "diffusivity"}, "property 'diffusivity'"),
        (lambda _: {"property": "ionic_conductivity", "unit": "S/cm"}, "property 'ionic_conductivity'"),
        (
            lambda made: {"gates": tuple(one for one in made.gates if one.name != "framework")},
            "lacks the gate framework",
        ),
        (lambda _: {"gates": ()}, "lacks the gates planned_interval"),
        (lambda _: {"framework_state": None}, "without framework_state"),
        (lambda _: {"framework_state": FrameworkState.MOLTEN}, "by its gate vibrating"),
        (lambda _: {"framework_state": FrameworkState.ABSENT}, "by its gate vibrating"),
        (lambda _: {"state": LabelState.CENSORED}, "a bound has no interval"),
        (lambda _: {"exponent": 0.5}, "exponent"),
        (lambda _: {"drift_A": 1000.0}, "drift"),
        (lambda _: {"n_eff": -1.0}, "n_eff"),
        (lambda _: {"haven_ratio": -3.0}, "Haven"),
        (lambda made: {"production_ps": made.production_ps * 10}, "longer than its protocol"),
        (lambda _: {"motion": None}, "without motion"),
        (lambda _: {"method": METHOD.model_copy(update={"frame_interval_ps": 0.1})}, "frames 0.1 ps apart"),
    ],
)
def test_what_contradicts_itself_is_refused(embedded_db, sound, change, says):
    wrong = sound.model_copy(update=change(sound))
    with pytest.raises(InputError, match="contradicts itself") as caught:
        embedded_db.labels.add(wrong)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert embedded_db.labels.count() == 0


def test_a_label_of_another_cell_is_refused(embedded_db, sound):
    swollen = AtomicSystem(SYSTEM.numbers, SYSTEM.positions_A * 1.05, SYSTEM.lattice_A * 1.05)
    larger = AtomicSystem(
        np.tile(SYSTEM.numbers, 2), np.vstack([SYSTEM.positions_A] * 2) + 0.3, np.diag([7.0, 7.0, 14.0])
    )
    for system, says in ((swollen, "A3 an atom"), (larger, "ions, its cell has 12")):
        fingerprint = embedded_db.structures.add(system, kind="amorphous").fingerprint
        with pytest.raises(InputError, match=says):
            embedded_db.labels.add(sound.model_copy(update={"structure_fingerprint": fingerprint}))


def test_what_is_rejected_may_say_anything(embedded_db, sound):
    wrong = sound.model_copy(update={"state": LabelState.REJECTED, "gates": (), **scaled(sound, 3)})
    assert embedded_db.labels.add(wrong).created


@pytest.mark.parametrize(("version", "says"), [(1, "older version of Vitrion"), (99, "newer version of Vitrion")])
def test_what_was_made_under_other_rules_is_refused_and_what_is_known_stays(embedded_db, sound, version, says):
    for state in (LabelState.ACCEPTED, LabelState.REJECTED):
        foreign = sound.model_copy(update={"schema_version": version, "state": state})
        with pytest.raises(InputError, match=says):
            embedded_db.labels.add(foreign)
    assert embedded_db.labels.count() == 0
    embedded_db.labels.add(sound)
    assert not embedded_db.labels.add(sound.model_copy(update={"schema_version": version})).created
