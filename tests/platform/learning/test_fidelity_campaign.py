"""A whole campaign with two potentials, stopped and continued: from its file to a prediction."""

import json

import pytest
from tiny_campaign import finish, start_campaign, start_vitrion, write_tiny

import vitrion
from vitrion.database.records import Arm

# Lennard-Jones, a fifth stronger: another potential that costs nothing.
STIFFER = """
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from vitrion_workflows import potentials


class Stiffer(Calculator):
    implemented_properties = ["energy", "forces", "stress"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        soft = potentials.load("lennard-jones").compute(
            atoms.numbers, atoms.positions, atoms.cell.array, stress=True
        )
        self.results = {
            "energy": 1.2 * soft.energy_eV,
            "forces": 1.2 * soft.forces_eV_per_A,
            "stress": 1.2 * full_3x3_to_voigt_6_stress(soft.stress_eV_per_A3),
        }
"""
DEAR = "ase:stiffer:Stiffer"


@pytest.mark.timeout(3600)
def test_a_campaign_labels_with_two_potentials_and_predicts_the_dearer_one(tmp_path):
    (tmp_path / "stiffer.py").write_text(STIFFER)
    fidelities = [{"potential": DEAR, "share": 0.5, "production_ps": 5.0}]
    surrogate = {"architecture": "multi_fidelity", "members": 2}
    for cycles in (1, 2):  # the second process goes on where the first ended
        write_tiny(tmp_path / "campaign.yaml", cycles=cycles, surrogate=surrogate, fidelities=fidelities)
        finish(start_campaign(tmp_path), timeout=3000)
    with vitrion.connect(home=tmp_path / "home", readonly=True) as db:
        labels = {row.key: row.potential for row in db.labels.search(campaign="tiny")}
        proposals = [entry for cycle in db.cycles.list("tiny") for entry in cycle.proposals]
        outputs = list(db.collection("outputs").find({"output.@class": "LabelOutcome"}))
        cell = next(row for row in db.structures.search(kind="amorphous", campaign="tiny") if row.accepted)
        (tmp_path / "cell.cif").write_text(db.structures.structure(cell.fingerprint).to(fmt="cif"))
    assert set(labels.values()) == {"lennard-jones", DEAR}
    keys = [document["metadata"]["vitrion_task"] for document in outputs]
    assert sorted(keys) == sorted(labels), "a label was computed twice, or one is missing"
    chosen = [entry for entry in proposals if entry.acquisition is not None]
    assert chosen
    assert all((entry.arm is Arm.REFERENCE) == (entry.potential == DEAR) for entry in chosen)
    process = start_vitrion(tmp_path, "predict", "cell.cif", "-t", "1500", "--json")
    answer, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    rows = json.loads(answer)
    assert {row["potential"] for row in rows} == {DEAR}
