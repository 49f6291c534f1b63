"""Published trajectories and numbers. Nothing of the data lies in the repository."""

import os

import numpy as np
import pytest

from vitrion_workflows.diffusivity.gates import diffusivity
from vitrion_workflows.diffusivity.msd import ols_fit, single_origin_fit
from vitrion_workflows.labelling.analysis import TrajectoryState, analyse_trajectory
from vitrion_workflows.schemas import FrameworkState, LabelState, failed_measurements
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.trajectories.trajectory import SERIES

pytestmark = pytest.mark.data

SODIUM_INTERVAL_PS = 0.002
ARGYRODITE_INTERVAL_PS = 0.1


@pytest.fixture(scope="module")
def folder():
    return os.environ["VITRION_DATA_MIRROR"] + "/trajectories"


def sodium(folder, temperature):
    return read_trajectory(f"{folder}/liquid_na/XDATCAR_{temperature}K.gz", frame_interval_ps=SODIUM_INTERVAL_PS)


def block_scheme(positions, *, interval, correlation=300, block=600, skip=250, first_lag=50):
    """MPmorph's block average: straight line through single-origin squared displacements of overlapping blocks.

    Steps before `skip` are dropped; blocks of `block` steps start every `correlation` steps; each is fitted from
    `first_lag` on. Mean over blocks, for each direction, in cm2/s.
    """
    frames = len(positions)
    steps = np.concatenate([np.zeros((1, *positions.shape[1:])), np.diff(positions[skip:], axis=0)])
    origins = (frames - block - skip) // correlation + 1
    lags = np.arange(first_lag, block)
    slopes = []
    for origin in range(origins):
        squares = np.cumsum(steps[origin * correlation :][:block], axis=0) ** 2
        slopes.append([np.polyfit(lags, squares.mean(axis=1)[first_lag:, axis], 1)[0] for axis in range(3)])
    return np.mean(slopes, axis=0) / 2 / interval * 1e-4


def test_sodium_block_scheme_gives_the_published_numbers(folder):
    """D(856 K) = 2.2112e-4 cm2/s, Dx 2.1337e-4, Dy 2.4156e-4, Dz 2.0843e-4 (MPmorph's own test)."""
    directions = block_scheme(sodium(folder, "856.0").positions_A, interval=SODIUM_INTERVAL_PS)
    np.testing.assert_allclose(directions, [2.1337e-4, 2.4156e-4, 2.0843e-4], rtol=2e-3)
    assert directions.mean() == pytest.approx(2.2112e-4, rel=1e-3)


@pytest.mark.parametrize(("temperature", "expected"), [("671.0", 1.290e-4), ("763.5", 1.585e-4), ("856.0", 2.192e-4)])
def test_sodium_ols_fits_and_ours(folder, temperature, expected):
    """Plain multi-origin figures within their 3 %; ours within the joint scatter of the two (0.06 decades)."""
    positions = sodium(folder, temperature).positions_A
    assert ols_fit(positions, SODIUM_INTERVAL_PS, window_ps=(0.2, 2.0)) == pytest.approx(expected, rel=0.03)
    ours = diffusivity(positions, SODIUM_INTERVAL_PS)
    assert abs(np.log10(ours.value_cm2_per_s / expected)) < 0.06
    assert 0.005 < ours.log10_stderr < 0.05


def test_sodium_rises_with_temperature_and_passes_every_gate(folder):
    values = []
    for temperature in ("671.0", "763.5", "856.0"):
        analysis = analyse_trajectory(sodium(folder, temperature), species="Na", temperature_K=float(temperature))
        assert analysis.checked_state is LabelState.ACCEPTED, analysis.gates
        # Positions alone do not show equilibration.
        assert analysis.state is TrajectoryState.UNVERIFIED
        assert list(analysis.checks.not_checked) == ["energy_drift"]
        assert analysis.framework.state is FrameworkState.ABSENT
        values.append(analysis.value_cm2_per_s)
    assert values == sorted(values)


def test_lgps_ols_fit_is_pymatgens(folder):
    """4.25976905436e-07 cm2/s, asserted upstream with smoothed=False; its drift is the framework's, unweighted."""
    trajectory = read_trajectory(f"{folder}/lgps/DiffusionAnalyzer.json")
    lithium = trajectory.numbers == 3
    displacements = remove_drift(trajectory.positions_A, np.ones(len(lithium)), atoms=~lithium)
    value = single_origin_fit(displacements[:, lithium], trajectory.frame_interval_ps)
    assert value == pytest.approx(4.25976905436e-07, rel=1e-9)


def test_lgps_frames_are_not_as_far_apart_as_stated(folder):
    """The fixture states 10 x 2 fs; every species moves as in 2 fs (a tenth of its thermal velocity otherwise)."""
    trajectory = read_trajectory(f"{folder}/lgps/DiffusionAnalyzer.json")
    analysis = analyse_trajectory(trajectory, species="Li", temperature_K=600)
    assert analysis.state is TrajectoryState.REJECTED
    gate = next(one for one in analysis.checks.measurements if one.name == "frame_interval")
    assert not gate.passed
    # Germanium, of which stretches leave little, within its scatter.
    assert gate.value == pytest.approx(0.01, rel=0.25)


@pytest.mark.parametrize("factor", [0.1, 0.2, 5.0, 10.0])
@pytest.mark.parametrize(
    "case",
    [
        ("liquid_na/XDATCAR_856.0K.gz", SODIUM_INTERVAL_PS, "Na", 856.0),
        ("argyrodite/Li6PS5I_50p_run1_XDATCAR.gz", ARGYRODITE_INTERVAL_PS, "Li", 500.0),
    ],
    ids=["sodium", "argyrodite"],
)
def test_wrong_interval_of_real_frames_is_refused(folder, case, factor):
    """At 0.1 ps only iodine still remembers its velocity; that is enough."""
    name, interval, species, temperature = case
    trajectory = read_trajectory(f"{folder}/{name}", frame_interval_ps=interval * factor)
    analysis = analyse_trajectory(trajectory, species=species, temperature_K=temperature)
    assert {"free_flight_ratio", "frame_interval"} & set(failed_measurements(analysis.gates))


@pytest.mark.parametrize(
    ("name", "interval", "species"),
    [
        ("liquid_na/XDATCAR_671.0K.gz", SODIUM_INTERVAL_PS, "Na"),
        ("argyrodite/Li6PS5Cl_100p_run1_XDATCAR.gz", ARGYRODITE_INTERVAL_PS, "Li"),
        ("cna3ps4/cNa3PS4_pda.json", None, "Na"),
    ],
)
def test_dropped_frame_and_wrapped_coordinates_of_real_frames_are_refused(folder, name, interval, species):
    from dataclasses import replace

    whole = read_trajectory(f"{folder}/{name}", frame_interval_ps=interval)
    sound = analyse_trajectory(whole, species=species)
    assert not {"missing_frame", "repeated_frame", "wrapped_step"} & set(failed_measurements(sound.gates))
    middle = len(whole) // 2
    series = {name: getattr(whole, name) for name in ("positions_A", "velocities_A_per_ps", *SERIES)}
    cut = {name: np.delete(values, middle, axis=0) for name, values in series.items() if values is not None}
    dropped = replace(whole, **cut)
    assert "missing_frame" in failed_measurements(analyse_trajectory(dropped, species=species).gates)
    inverse = np.linalg.inv(whole.lattice_A)
    wrapped = replace(whole, positions_A=np.mod(whole.positions_A @ inverse, 1.0) @ whole.lattice_A)
    assert "wrapped_step" in failed_measurements(analyse_trajectory(wrapped, species=species).gates)


def test_argyrodite_framework_stands_while_lithium_moves(folder):
    name = f"{folder}/argyrodite/Li6PS5Cl_50p_run1_XDATCAR.gz"
    trajectory = read_trajectory(name, frame_interval_ps=ARGYRODITE_INTERVAL_PS)
    analysis = analyse_trajectory(trajectory, species="Li", temperature_K=500)
    assert analysis.framework.state is FrameworkState.VIBRATING
    assert analysis.framework.species == 15
    assert 5e-6 < analysis.value_cm2_per_s < 3e-5


def test_disorder_speeds_lithium_up_in_the_iodide(folder):
    """Ordered Li6PS5I conducts far worse than the disordered one (Morgan, Chem. Mater. 33, 2004, 2021)."""
    values = {}
    for disorder in ("0p", "50p"):
        name = f"{folder}/argyrodite/Li6PS5I_{disorder}_run1_XDATCAR.gz"
        trajectory = read_trajectory(name, frame_interval_ps=ARGYRODITE_INTERVAL_PS)
        mobile = trajectory.numbers == 3
        displacements = remove_drift(trajectory.positions_A, trajectory.masses_u)[:, mobile]
        values[disorder] = diffusivity(displacements, ARGYRODITE_INTERVAL_PS)
    assert values["0p"].value_cm2_per_s < 0.5 * values["50p"].value_cm2_per_s


def test_two_ps_of_na3ps4_are_no_label(folder):
    trajectory = read_trajectory(f"{folder}/cna3ps4/cNa3PS4_pda.json")
    assert trajectory.frame_interval_ps == pytest.approx(0.02)
    assert analyse_trajectory(trajectory, species="Na", temperature_K=800).state is TrajectoryState.REJECTED
