import numpy as np
import pytest
from argon_model import SIGMA_A, Argon, fcc
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows.judging import JudgingProtocol, NamedCrystal, judge, melt_at_zero_pressure, most_evaluations
from vitrion_workflows.judging.melt import FRAMES_COMPARED
from vitrion_workflows.potentials import ForceResult

REDUCED_TEMPERATURE_K = 120.0


def test_the_lennard_jones_fluid_has_its_density_at_zero_pressure():
    # Saturated liquid at T* = 0.80: rho* = 0.799, vapour pressure 0.005 (NIST, Lennard-Jones fluid, tail corrected).
    protocol = JudgingProtocol(temperature_K=0.80 * REDUCED_TEMPERATURE_K, atoms=32, run_ps=0.8, seed=4)
    argon = Argon()
    melt = melt_at_zero_pressure("He", argon, protocol=protocol, melter=argon)
    assert SIGMA_A**3 / melt.volume.volume_A3_per_atom == pytest.approx(0.80, rel=0.05)
    assert 0 < melt.volume.ln_stderr < 0.05
    assert len(melt.frames) == FRAMES_COMPARED


def test_a_scaled_potential_is_found_out_on_frames_of_both_and_on_the_crystal():
    protocol = JudgingProtocol(temperature_K=96.0, atoms=16, run_ps=0.2, seed=1)
    soft, reference = Argon(factor=0.7), Argon(weights="b")
    crystal = NamedCrystal(fcc(edge_A=5.4, number=2), source="fcc")
    result = judge("He", soft, reference, protocol=protocol, melter=soft, crystal=crystal)
    for comparison in (result.own_frames, result.reference_frames, result.crystal.disturbed):
        assert comparison.agreement.slope == pytest.approx(0.7)
        assert comparison.agreement.inverse_slope == pytest.approx(1 / 0.7)
    assert result.failure == ""
    again = judge("He", soft, reference, protocol=protocol, melter=soft, crystal=crystal)
    assert again == result


def test_a_melt_that_boils_keeps_its_reason_and_is_still_compared():
    protocol = JudgingProtocol(temperature_K=3000.0, atoms=16, run_ps=0.1, seed=1)
    result = judge("He", Argon(), Argon(factor=0.5, weights="b"), protocol=protocol, melter=Argon())
    assert result.melt.volume_A3_per_atom is None
    assert "no volume of zero pressure" in result.melt.failure
    assert result.own_frames.agreement.slope == pytest.approx(2.0)


class Exploding(Argon):
    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        result = super().compute(numbers, positions_A, lattice_A, stress=stress)
        result.forces_eV_per_A[:] = np.nan
        return result


def test_a_potential_that_explodes_is_judged_as_such():
    protocol = JudgingProtocol(temperature_K=96.0, atoms=16, run_ps=0.1)
    result = judge("He", Exploding(), Argon(weights="b"), protocol=protocol, melter=Exploding())
    assert "not finite" in result.failure
    assert result.own_frames is None


class Stressless(Argon):
    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        result = super().compute(numbers, positions_A, lattice_A, stress=stress)
        return ForceResult(result.energy_eV, result.forces_eV_per_A)


@pytest.mark.parametrize(
    ("judged", "reference", "reason"),
    [
        (Argon(), Exploding(weights="b"), "crystal: forces are not all finite"),
        (Stressless(), Argon(weights="b"), "does not compute a stress"),
    ],
)
def test_a_composition_that_cannot_be_compared_keeps_its_reason(judged, reference, reason):
    protocol = JudgingProtocol(temperature_K=96.0, atoms=16, run_ps=0.1)
    crystal = NamedCrystal(fcc(edge_A=5.4, number=2), source="fcc")
    result = judge("He", judged, reference, protocol=protocol, melter=judged, crystal=crystal)
    assert reason in result.failure
    assert result.own_frames is None


def test_a_slow_potential_starts_from_the_melt_of_a_fast_one():
    protocol = JudgingProtocol(temperature_K=96.0, atoms=16, run_ps=0.1)
    faster = Argon()
    faster.name = "faster"
    melt = melt_at_zero_pressure("He", Argon(), protocol=protocol, melter=faster)
    assert melt.volume.melted_by == "faster"


class Counting(Argon):
    calls = 0

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        self.calls += 1
        return super().compute(numbers, positions_A, lattice_A, stress=stress)


def test_a_judgement_needs_no_more_evaluations_than_stated_before():
    protocol = JudgingProtocol(temperature_K=3000.0, atoms=16, run_ps=0.1, seed=1)  # it boils: the longest search
    judged, reference, melter = Counting(), Counting(weights="b"), Counting()
    crystal = NamedCrystal(fcc(edge_A=5.4, number=2), source="fcc")
    judge("He", judged, reference, protocol=protocol, melter=melter, crystal=crystal)
    most = most_evaluations(protocol, melts_itself=False)
    assert most.judged / 3 < judged.calls <= most.judged + most.crystal
    assert reference.calls <= most.reference + most.crystal
    assert most.melter / 3 < melter.calls <= most.melter


@pytest.mark.parametrize("numbers", [{"atoms": 7}, {"run_ps": 0.04}, {"reference_ps": 0.0}])
def test_melts_too_small_to_be_judged_are_refused(numbers):
    with error_in_one_line(InputError):
        JudgingProtocol(**numbers)


def test_uncovered_elements_are_refused_by_name():
    with error_in_one_line(InputError, "Li"):
        judge("LiCl", Argon(), Argon(weights="b"), protocol=JudgingProtocol(), melter=Argon())
