"""Labels of different quantities never meet in one mean, one frame, one fit or one file unless the caller says so."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from plain_labels import plain_label
from stored_records import published_label

from vitrion.cli.app import run
from vitrion.database.queries.quantity import MixtureError, Quantity, quantities, require_one
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import LabelProtocol, LabelState, scaled_start


def computed(cell, *, potential="nep89", weights=None, value=1e-5, seed=0, species="Li", **protocol):
    return plain_label(
        cell,
        potential=potential,
        weights=weights,
        seed=seed,
        species=species,
        value=value,
        interval_68=(value / 1.2, value * 1.2),
        interval_95=(value / 1.5, value * 1.5),
        protocol=LabelProtocol(**protocol),
    )


def of_light_lithium(db, cell):
    system = db.structures.system(cell)
    light = replace(system, masses_u=np.where(system.numbers == 3, 6.015, system.masses_u))
    gates = db.structures.get(cell).gates
    return computed(db.structures.add(light, kind="amorphous", gates=gates).fingerprint)


def scaled(cell):
    label = computed(cell, seed=5)
    return label.model_copy(update={"method": label.method.model_copy(update={"start": scaled_start(20.0)})})


OTHERS = {
    "isotopes": lambda db, cell: db.labels.add(of_light_lithium(db, cell)),
    "potential": lambda db, cell: db.labels.add(computed(cell, potential="chgnet")),
    "weights_sha256": lambda db, cell: db.labels.add(computed(cell, weights="d" * 64)),
    "start": lambda db, cell: db.labels.add(computed(cell, seed=7), arm="reference"),
    "volume": lambda db, cell: db.labels.add(scaled(cell)),
    "thermostat": lambda db, cell: db.labels.add(computed(cell, thermostat="langevin", friction_per_ps=20.0)),
    "protocol": lambda db, cell: db.labels.add(computed(cell, production_ps=50.0)),
    "source": lambda db, _cell: db.labels.add_imported(published_label()),
    "species": lambda db, cell: db.labels.add(computed(cell, species="S")),
    "property": lambda db, _cell: db.labels.add_imported(
        published_label(property="ionic_conductivity", unit="S/cm", convention="as_published")
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_quantity_slips_into_means_and_frames(db, cell, name):
    db.labels.add(computed(cell))
    OTHERS[name](db, cell)
    rows = db.labels.search()
    mean = partial(db.labels.statistics, state=["accepted", "published"])
    for refused in (rows.to_dataframe, mean, lambda: require_one(rows, purpose="fitted")):
        with pytest.raises(MixtureError, match=rf"more than one .*{name} \(.*: 1.*across=") as caught:
            refused()
        assert name in caught.value.fields
        assert "\n" not in str(caught.value)
        assert len(require_one(rows, across=caught.value.fields).gate_version) > 0
    assert len(db.labels.quantities()) == 2
    assert len(rows.to_dicts()) == 2  # listing shows all: each row names what it is


def test_the_caller_may_say_which_differ(db, cell):
    for add in OTHERS.values():
        add(db, cell)
    db.labels.add(computed(cell))
    with pytest.raises(MixtureError, match=r"source \(.*; species \(.*; thermostat \(.*across=\('source', 'species', "):
        db.labels.statistics(
            property="tracer_diffusivity", across=("potential", "start"), state=["accepted", "published"]
        )
    rows = db.labels.search(structure_fingerprint=cell, species="Li", property="tracer_diffusivity")
    allowed = ("potential", "start", "volume", "thermostat", "protocol")
    common = require_one(rows, across=allowed, purpose="compared")
    assert common.potential == "chgnet+nep89"
    assert common.species == "Li"
    assert len(rows.to_dataframe(across=allowed)) == len(rows) == 7
    with pytest.raises(InputError, match="cannot be mixed across 'potentail'"):
        rows.to_dataframe(across="potentail")
    with pytest.raises(InputError, match="no labels to be fitted"):
        require_one([], purpose="fitted")


def test_groups_keep_quantities_apart(db, cell):
    db.labels.add(computed(cell))
    db.labels.add(computed(cell, potential="chgnet", value=1e-6))
    rejected = computed(cell, seed=9, value=1e-3).model_copy(update={"state": LabelState.REJECTED})
    db.labels.add(rejected)  # in no mean
    means = {entry.group: entry.mean for entry in db.labels.statistics(group_by="potential")}
    assert means == {("chgnet",): pytest.approx(-6), ("nep89",): pytest.approx(-5)}
    db.labels.add(computed(cell, weights="d" * 64, value=1e-4))
    with pytest.raises(InputError, match="more than one weights_sha256"):
        db.labels.statistics(group_by="potential")
    assert len(db.labels.statistics(group_by=("potential", "weights_sha256"))) == 3
    with pytest.raises(InputError, match="more than one potential"):
        db.labels.statistics(group_by="temperature_K")


def test_seed_and_temperature_make_no_other_quantity(db, cell):
    db.labels.add(computed(cell))
    db.labels.add(computed(cell, seed=2))
    db.labels.add(computed(cell).model_copy(update={"temperature_K": 700.0}))
    (quantity,) = quantities(db.labels.search())
    assert quantity == Quantity.of(db.labels.search()[0])
    assert db.labels.quantities() == {quantity: 3}
    assert "tracer_diffusivity (einstein_3d, cm2/s) of Li, computed, by nep89 aaaa" in str(quantity)


@pytest.mark.parametrize(
    "protocol",
    [
        {"production_ps": 50.0},
        {"time_step_fs": 1.0},
        {"frame_interval_fs": 10.0},
        {"thermostat": "langevin", "friction_per_ps": 1.0},
        {"target_log10_stderr": 0.1, "least_ps": 4.0},
    ],
)
def test_protocols_mix_only_where_the_caller_says_so(db, cell, protocol):
    db.labels.add(computed(cell))
    db.labels.add(computed(cell, **protocol))
    rows = db.labels.search()
    with pytest.raises(InputError, match=r"more than one protocol \(.*step 2 fs.*: 1.*\).*across='protocol'"):
        rows.to_dataframe()
    assert len(rows.to_dataframe(across="protocol")) == 2
    (mean,) = db.labels.statistics(across="protocol")
    assert mean.count == 2


def test_two_tables_of_one_functional_are_two_quantities(db):
    db.labels.add_imported(published_label())
    db.labels.add_imported(published_label(weights_sha256="e" * 64, dataset="other"))
    with pytest.raises(InputError, match="more than one weights_sha256"):
        db.labels.statistics(state="published")


def test_export_of_two_quantities_is_refused_unless_asked_for(tmp_path, home, capsys):
    import vitrion

    with vitrion.connect(home=home) as db:
        db.labels.add_imported(published_label())
        db.labels.add_imported(published_label(potential="scan", weights_sha256="f" * 64))
    target = tmp_path / "labels.csv"
    assert run(["labels", "export", "--to", str(target)]) == 2
    line = capsys.readouterr().err
    assert "more than one potential (pbe: 1, scan: 1)" in line
    assert not target.exists()
    assert run(["labels", "export", "--to", str(target), "--across", "potential"]) == 0
    assert len(target.read_text().splitlines()) == 3
    assert run(["labels", "export", "--to", str(target), "--potential", "pbe"]) == 0
    assert len(target.read_text().splitlines()) == 2
    assert run(["labels", "list", "--json"]) == 0
