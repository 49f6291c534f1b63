"""Choice of the reference potential: coverage, preference, never the production potential itself."""

from dataclasses import replace

import pytest

from vitrion_models.errors import InputError
from vitrion_workflows.force_check.reference import reference_potential
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.diep import force_field as diep
from vitrion_workflows.potentials.mace import force_field as mace


@pytest.mark.parametrize(
    ("production", "reference"),
    [("nep89", "diep"), ("chgnet", "diep"), ("diep", "chgnet"), ("diep:fold1", "chgnet"), ("lennard-jones", None)],
)
def test_reference_of_a_production_potential(production, reference):
    assert reference_potential({"Li", "P", "S"}, production=production) == reference


def test_elements_that_no_potential_covers_have_no_reference():
    assert reference_potential({"Li", "Po"}, production="nep89") is None


def test_without_diep_it_is_chgnet(monkeypatch):
    (entry,) = diep.ENTRIES
    absent = replace(entry, probe=lambda _argument: Availability(ok=False, reason="absent"))
    monkeypatch.setattr(diep, "ENTRIES", (absent,))
    assert reference_potential({"Li"}, production="nep89") == "chgnet"
    few = replace(entry, elements=frozenset({"O"}))
    monkeypatch.setattr(diep, "ENTRIES", (few,))
    assert reference_potential({"Li"}, production="nep89") == "chgnet"


def test_an_installed_mace_comes_last(monkeypatch):
    (entry,) = diep.ENTRIES
    monkeypatch.setattr(diep, "ENTRIES", (replace(entry, elements=frozenset()),))
    assert reference_potential({"Li"}, production="chgnet") is None
    installed = [
        replace(one, probe=lambda _argument: Availability(ok=True, reason="installed"))
        if one.name == "mace-mpa-0"
        else one
        for one in mace.ENTRIES
    ]
    monkeypatch.setattr(mace, "ENTRIES", tuple(installed))
    assert reference_potential({"Li"}, production="chgnet") == "mace-mpa-0"


def test_an_unknown_production_potential_is_refused():
    with pytest.raises(InputError, match="nep99"):
        reference_potential({"Li"}, production="nep99")
