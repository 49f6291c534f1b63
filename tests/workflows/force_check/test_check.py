"""The check of a run and of a cell: agreement, holes, denied bonds, and the checks that are not made."""

import numpy as np
import pytest
from model_force_fields import FreeParticles, HarmonicWells, rock_salt

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.force_check import check as checking
from vitrion_workflows.force_check.broken_bonds import RelaxedBonds
from vitrion_workflows.force_check.check import check_cell, check_run
from vitrion_workflows.force_check.evaluation import frames_to_check
from vitrion_workflows.force_check.reference import require_reference
from vitrion_workflows.potentials import ForceField, ForceResult
from vitrion_workflows.schemas.force_check import ForceCheckSettings, ForceCheckState
from vitrion_workflows.trajectories.trajectory import Trajectory

SETTINGS = ForceCheckSettings()
SYMBOLS = ("Li", "Al", "N", "O", "Cl", "Zr", "Mo", "I")


class Wells(ForceField):
    """Springs to given sites, and a repulsion of given strength between pairs of atoms, along the line of the two."""

    def __init__(self, sites_A, *, spring=1.0, pairs=(), push_eV_per_A=0.0, name="wells", pressure=0.0):
        super().__init__(name=name, version="1", weights_sha256=name.encode().hex().ljust(64, "0"), elements=SYMBOLS)
        self.sites_A, self.spring, self.pairs, self.push, self.pressure = (
            sites_A,
            spring,
            pairs,
            push_eV_per_A,
            pressure,
        )

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):  # noqa: ARG002 - the signature of all
        away = positions_A - self.sites_A
        forces = -self.spring * away
        for first, second in self.pairs:
            line = positions_A[second] - positions_A[first]
            line /= np.linalg.norm(line)
            forces[first] -= self.push * line
            forces[second] += self.push * line
        return ForceResult(0.5 * self.spring * float((away**2).sum()), forces, -self.pressure * np.eye(3))


def thermal_run(system, *, frames=60, noise_A=0.1, seed=0):
    noise = np.random.default_rng(seed).normal(scale=noise_A, size=(frames, len(system), 3))
    return Trajectory(system.numbers, system.positions_A + noise, system.lattice_A, 0.02)


def compared(monkeypatch, reference):
    """The force check with this reference potential, whatever the cell holds."""
    monkeypatch.setattr(checking, "choose_reference", lambda *_args, **_kwargs: reference)


def failed(checked):
    return [measurement.name for measurement in checked.measurements if not measurement.passed]


def test_scaled_forces_have_their_slopes_by_species_and_their_residuals(monkeypatch):
    system = rock_salt(repeats=2)
    sites = system.positions_A
    compared(monkeypatch, Wells(sites, spring=2.0, pressure=0.05))
    checked = check_run(thermal_run(system), production=Wells(sites, spring=1.5, name="soft"), settings=SETTINGS)
    record = checked.record
    assert record.state is ForceCheckState.MADE
    assert record.reference == "wells"
    assert len(record.frames) == 5
    assert record.agreement.slope == pytest.approx(0.75)
    assert record.agreement.inverse_slope == pytest.approx(1 / 0.75)
    assert record.agreement.r2 == pytest.approx(1 - 0.25**2)
    assert set(record.by_species) == {"Li", "Cl"}
    assert record.by_species["Cl"].slope == pytest.approx(0.75)
    assert record.pressure_difference_GPa == pytest.approx(-0.05 * 160.2177, rel=1e-4)
    assert record.energy_scatter_meV_per_atom > 0
    assert not failed(checked)
    assert checked.gates[0].name == "force_check"


def test_equal_potentials_disagree_nowhere(monkeypatch):
    system = rock_salt(repeats=2)
    compared(monkeypatch, Wells(system.positions_A))
    checked = check_run(thermal_run(system), production=Wells(system.positions_A, name="same"), settings=SETTINGS)
    assert checked.record.agreement.r2 == 1
    assert checked.record.energy_scatter_meV_per_atom == 0
    assert checked.record.largest.difference_eV_per_A == 0
    assert not failed(checked)


def oxide(*, seed=1):
    """A salt of Zr and O without homonuclear bonds, atoms 0 to 31 Zr."""
    return rock_salt(symbols=(40, 8), edge_A=5.0, repeats=2, seed=seed)


@pytest.mark.parametrize("push", [10.0, 40.0])
def test_a_hole_is_found_and_its_atoms_are_named(monkeypatch, push):
    system = oxide()
    sites = system.positions_A.copy()
    zirconium = np.flatnonzero(system.numbers == 40)
    first, second = zirconium[0], zirconium[1]
    sites[second] = sites[first] + [1.78, 0, 0]
    near = AtomicSystem(system.numbers, sites, system.lattice_A)
    compared(monkeypatch, Wells(sites, spring=8.0, pairs=[(first, second)], push_eV_per_A=push))
    checked = check_run(
        thermal_run(near, noise_A=0.05), production=Wells(sites, spring=7.0, name="blind"), settings=SETTINGS
    )
    assert "hole" in failed(checked)
    (hole,) = (each for each in checked.measurements if each.name == "hole")
    assert f"Zr {first}" in hole.message
    assert f"Zr {second}" in hole.message
    assert checked.record.largest.species == "Zr"
    assert checked.record.largest.atom in {first, second}
    assert checked.record.largest.reference_eV_per_A == pytest.approx(push, abs=3)


def test_a_hole_that_lasts_for_one_frame_is_found_in_that_frame(monkeypatch):
    system = oxide()
    run = thermal_run(system, noise_A=0.05)
    frame = int(frames_to_check(run, 5)[2])
    first, second = np.flatnonzero(system.numbers == 40)[:2]

    class Once(Wells):
        def compute(self, numbers, positions_A, lattice_A, *, stress=False):
            plain = self.pairs
            self.pairs = plain if np.array_equal(positions_A, run.positions_A[frame]) else ()
            result = super().compute(numbers, positions_A, lattice_A, stress=stress)
            self.pairs = plain
            return result

    sites = system.positions_A
    compared(monkeypatch, Once(sites, spring=8.0, pairs=[(first, second)], push_eV_per_A=30.0))
    checked = check_run(run, production=Wells(sites, spring=8.0, name="blind"), settings=SETTINGS)
    assert failed(checked) == ["hole"]
    assert checked.record.largest.frame == frame


def nitrogen(*, distance_A):
    """A salt of Al and N in which two N form a bond."""
    system = rock_salt(symbols=(13, 7), edge_A=5.0, repeats=2)
    positions = system.positions_A.copy()
    first, second = np.flatnonzero(system.numbers == 7)[:2]
    positions[second] = positions[first] + [0, 0, distance_A]
    return AtomicSystem(system.numbers, positions, system.lattice_A), (int(first), int(second))


def bonded(count):
    """A salt of Al and N with bonds between neighbours of N that lie along z, and their atoms."""
    system = rock_salt(symbols=(13, 7), edge_A=5.0, repeats=2)
    positions = system.positions_A.copy()
    nitrogens = np.flatnonzero(system.numbers == 7)
    pairs = [(int(first), int(second)) for first, second in nitrogens[: 2 * count].reshape(-1, 2)]
    for first, second in pairs:
        positions[second] = positions[first] + [0, 0, 1.25]
    return AtomicSystem(system.numbers, positions, system.lattice_A), pairs


def test_a_lasting_bond_that_the_reference_drives_apart_is_denied(monkeypatch):
    system, bond = nitrogen(distance_A=1.25)
    sites = system.positions_A
    run = thermal_run(system, noise_A=0.05)
    production = Wells(sites, spring=8.0, name="blind")
    compared(monkeypatch, Wells(sites, spring=8.0, pairs=[bond], push_eV_per_A=1.6))
    checked = check_run(run, production=production, settings=SETTINGS)
    assert failed(checked) == ["denied_bond"]
    (denied,) = (each for each in checked.measurements if not each.passed)
    assert f"N {bond[0]} - N {bond[1]}" in denied.message
    assert denied.value == pytest.approx(1.6, abs=0.1)
    # The same bond, where the reference has it too.
    compared(monkeypatch, Wells(sites, spring=9.0))
    assert not failed(check_run(run, production=production, settings=SETTINGS))


@pytest.mark.parametrize(("spring", "names"), [(0.5, ["broken_bond"]), (8.0, [])])
def test_a_bond_that_the_reference_breaks_when_it_relaxes_is_refused(monkeypatch, spring, names):
    # A push below the limit of forces: soft springs let each atom go by 1.6 A, stiff ones by 0.1 A.
    system, bond = nitrogen(distance_A=1.25)
    compared(monkeypatch, Wells(system.positions_A, spring=spring, pairs=[bond], push_eV_per_A=0.8))
    checked = check_cell(system, production=Wells(system.positions_A, name="blind"), settings=SETTINGS)
    assert failed(checked) == names


@pytest.mark.parametrize(
    ("bonds", "broken", "refused"),
    # Of three frames: 3 of 24 bonds, one in eight, may break; 3 of 12 may not.
    [(4, 0, False), (8, 1, False), (4, 1, True), (1, 1, True)],
)
def test_bonds_that_break_are_pooled_over_frames_of_a_run(monkeypatch, bonds, broken, refused):
    """Soft springs and a push, the same under both potentials: forces deny nothing, the relaxation breaks bonds."""
    system, pairs = bonded(bonds)
    pushed = {"spring": 0.5, "pairs": pairs[bonds - broken :], "push_eV_per_A": 0.8}
    compared(monkeypatch, Wells(system.positions_A, **pushed))
    production = Wells(system.positions_A, name="blind", **pushed)
    checked = check_run(thermal_run(system, noise_A=0.01), production=production, settings=SETTINGS)
    (measured,) = (each for each in checked.measurements if each.name == "broken_bond")
    assert measured.value == pytest.approx(broken / bonds)
    assert measured.passed is not refused
    if broken:
        first, second = pairs[bonds - broken]
        assert f"N {first} - N {second}" in measured.message


def test_a_bond_that_both_potentials_drive_apart_alike_is_not_denied(monkeypatch):
    """A stiff bond that swings shows large forces in five frames, of the run's own potential as of the reference."""
    system, bond = nitrogen(distance_A=1.25)
    pushed = {"spring": 8.0, "pairs": [bond], "push_eV_per_A": 3.0}
    compared(monkeypatch, Wells(system.positions_A, **pushed))
    production = Wells(system.positions_A, name="swinging", **pushed)
    checked = check_run(thermal_run(system, noise_A=0.03), production=production, settings=SETTINGS)
    assert "denied_bond" not in failed(checked)


@pytest.mark.parametrize(
    ("bonds", "broken", "refused"),
    # More than one bond and more than 15 %.
    [(1, 1, False), (3, 1, False), (3, 2, True), (6, 1, False), (8, 2, True), (40, 6, False), (40, 7, True)],
)
def test_one_broken_bond_is_chance_in_a_run_and_may_be_refused_at_rest(bonds, broken, refused):
    pairs = tuple((place, place + 1) for place in range(broken))
    run, cell = (RelaxedBonds(bonds, pairs, at_rest=at_rest) for at_rest in (False, True))
    assert (run.share > run.greatest_share) is refused
    assert (cell.share > cell.greatest_share) is (broken > bonds / 4)


def test_in_a_relaxed_cell_the_forces_of_the_reference_are_judged(monkeypatch):
    system, bond = nitrogen(distance_A=1.25)
    production = Wells(system.positions_A, name="blind")
    for push, names in ((0.5, []), (3.0, ["denied_bond"]), (12.0, ["hole", "denied_bond"])):
        compared(monkeypatch, Wells(system.positions_A, spring=8.0, pairs=[bond], push_eV_per_A=push))
        checked = check_cell(system, production=production, settings=SETTINGS)
        assert failed(checked) == names
        assert checked.record.agreement is None
        assert checked.record.greatest_reference_eV_per_A == pytest.approx(push)


def test_forces_that_are_not_finite_leave_the_check_undone(monkeypatch):
    system = rock_salt(repeats=2)
    compared(monkeypatch, Wells(system.positions_A * np.nan))
    checked = check_run(thermal_run(system), production=Wells(system.positions_A, name="fine"), settings=SETTINGS)
    assert checked.record.state is ForceCheckState.NOT_MADE
    assert "finite" in checked.record.reason
    assert not checked.gates


@pytest.mark.parametrize(
    ("numbers", "reference", "reason"),
    [((3, 17), "auto", "lennard-jones"), ((3, 17), "lennard-jones", "itself")],
)
def test_where_no_check_can_be_made_the_record_says_why(numbers, reference, reason):
    system = rock_salt(symbols=numbers)
    settings = ForceCheckSettings(reference=reference)
    checked = check_cell(system, production=potentials.load("lennard-jones"), settings=settings)
    assert checked.record.state is ForceCheckState.NOT_MADE
    assert reason in checked.record.reason
    assert not checked.gates


def test_a_reference_that_lacks_an_element_is_named(monkeypatch):
    monkeypatch.setattr(checking, "force_field", lambda _name, _device: FreeParticles())
    system = rock_salt()
    checked = check_cell(
        system, production=HarmonicWells(system.positions_A, 1.0), settings=ForceCheckSettings(reference="free")
    )
    assert checked.record.reason == "free does not cover Cl"


def test_frames_are_spread_over_the_run_after_equilibration():
    system = rock_salt()
    run = thermal_run(system, frames=101)
    np.testing.assert_array_equal(frames_to_check(run, 5), [20, 40, 60, 80, 100])
    # A run that starts far from equilibrium: the checked frames lie after that.
    energies = np.r_[np.linspace(50, 0, 40), np.random.default_rng(0).normal(size=61)]
    drifting = Trajectory(run.numbers, run.positions_A, run.lattice_A, 0.02, potential_energies_eV=energies)
    assert frames_to_check(drifting, 5)[0] > 40


@pytest.mark.parametrize(("name", "error"), [("lennard-jones", InputError), ("nep99", InputError)])
def test_a_name_that_is_no_reference_potential_is_refused(name, error):
    with pytest.raises(error, match=name):
        require_reference(name)


def test_a_reference_that_is_not_installed_is_refused():
    if potentials.installed("mace-mpa-0").ok:
        pytest.skip("mace-mpa-0 is installed")
    with pytest.raises(MissingDependencyError, match="mace-mpa-0"):
        require_reference("mace-mpa-0")
    require_reference("auto")
    require_reference("diep")
