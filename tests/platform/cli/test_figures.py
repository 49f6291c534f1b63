"""Figures of `--plot`: the state of a number by marker, legend and title, and 95 % intervals throughout."""

import math
from dataclasses import replace

import numpy as np
import pytest
import walks

from vitrion.answers.arrhenius import answer_arrhenius, arrhenius_points
from vitrion.cli.console.arrhenius_figure import arrhenius_figure
from vitrion.cli.console.trajectory_figures import describe_result, describe_state, msd_figure, observables_figure
from vitrion.exchange.label_table import TableLabel
from vitrion_models.constants import Z_95, BOLTZMANN_eV_PER_K
from vitrion_workflows.labelling.analysis import analyse_trajectory
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.observables import observe


@pytest.fixture(scope="module")
def run():
    path = walks.langevin(
        np.random.default_rng(0), frames=401, ions=20, mass=6.94, temperature=1000, friction=6, interval=0.02
    )
    return Trajectory(
        numbers=np.full(20, 3),
        positions_A=path + np.stack(np.meshgrid(*[np.arange(3) * 10 / 3] * 3), axis=-1).reshape(-1, 3)[:20],
        lattice_A=np.eye(3) * 10,
        frame_interval_ps=0.02,
    )


@pytest.fixture
def analysis(run, request):
    request.getfixturevalue("independent_walkers")
    return analyse_trajectory(run, species="Li", temperature_K=1000.0)


def verified(analysis, state):
    """Return the analysis as if everything could be checked, in a state."""
    checks = replace(analysis.checks, not_checked={})
    return replace(analysis, checks=checks, checked_state=state)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("state", [LabelState.ACCEPTED, LabelState.REJECTED, LabelState.CENSORED])
def test_msd_figure_states_state_and_interval(analysis, state):
    shown = verified(analysis, state)
    figure = msd_figure(shown, source="run.h5")
    title = figure.get_suptitle()
    assert state.value in title
    assert "cm²/s" in title
    assert "95 %" in title
    assert ("D <" in title) == (state is LabelState.CENSORED)
    assert any(state.value in words for words in legend(figure.axes[0]))
    arrows = [text for text in figure.axes[0].texts if text.arrow_patch is not None]
    assert bool(arrows) == (state is LabelState.CENSORED)


def test_states_differ_by_marker(analysis):
    looks = set()
    states = [verified(analysis, state) for state in (LabelState.ACCEPTED, LabelState.REJECTED)]
    for shown in (analysis, *states):
        points = msd_figure(shown, source="run.h5").axes[0].containers[0].lines[0]
        looks.add((points.get_marker(), points.get_markerfacecolor()))
    assert len(looks) == 3


def test_unverified_is_said_with_the_number_of_missing_checks(analysis):
    assert describe_state(analysis).startswith("unverified: accepted as far as could be checked")
    assert f"{len(analysis.checks.not_checked)} checks not possible" in describe_state(analysis)
    assert describe_state(verified(analysis, LabelState.ACCEPTED)) == "accepted"


def test_bars_of_the_msd_are_95_percent(analysis):
    bars = msd_figure(analysis, source="run.h5").axes[0].containers[0].lines[2][0].get_segments()
    heights = [bar[1, 1] - bar[0, 1] for bar in bars]
    np.testing.assert_allclose(heights, 2 * Z_95 * np.array(analysis.estimate.msd.stderr_A2))


def test_a_diffusivity_of_zero_without_interval_is_drawn(analysis):
    zero = replace(analysis, value_cm2_per_s=0.0, estimate=replace(analysis.estimate, interval_95=None))
    assert describe_result(zero).startswith("D = 0 cm²/s")
    msd_figure(zero, source="run.h5")


def test_every_axis_has_its_unit(run, analysis):
    observables = observe(run, mobile="Li", discarded_frames=0, charges=None, temperature_K=1000.0)
    for axes in observables_figure(analysis, observables, source="run.h5").axes:
        assert all("(" in label for label in (axes.get_xlabel(), axes.get_ylabel()))


def label(temperature, state):
    return TableLabel(
        temperature_K=temperature,
        value=10 ** (-3.0 - 0.3 / (BOLTZMANN_eV_PER_K * temperature * math.log(10))),
        log10_stderr=0.03,
        unit="cm2/s",
        convention="einstein_3d",
        species="Li",
        reduced_formula="Li3PS4",
        state=state,
    )


@pytest.fixture
def arrhenius():
    labels = [label(700, "censored"), label(900, "accepted"), label(1100, "published"), label(1500, "accepted")]
    answer = answer_arrhenius(labels, temperatures_K=[300.0])
    line = answer_arrhenius(labels, temperatures_K=[300.0, 700.0, 900.0, 1500.0]).predictions
    return answer, arrhenius_figure(answer, line, labels, arrhenius_points(labels))


def test_arrhenius_plot_names_states_and_one_interval_convention(arrhenius):
    answer, figure = arrhenius
    axes = figure.axes[0]
    assert "2 accepted, 1 censored, 1 published" in axes.get_title()
    words = legend(axes)
    assert {"accepted", "published", "censored: upper bound"} <= set(words)
    assert "95 %" in axes.get_legend().get_title().get_text()
    low, high = answer.Ea_95_eV
    assert any(f"({low:.3f} to {high:.3f}) eV" in entry for entry in words)
    assert any(entry.startswith("300 K, extrapolated: D =") for entry in words)


def test_arrhenius_bars_are_95_percent_and_a_bound_points_down(arrhenius):
    bound, accepted = arrhenius[1].axes[0].containers[:2]
    (bar,) = accepted.lines[2][0].get_segments()
    assert math.log10(bar[1, 1] / bar[0, 1]) == pytest.approx(2 * Z_95 * 0.03)
    (drop,) = bound.lines[2][0].get_segments()
    assert drop[0, 1] < label(700, "censored").value
    assert drop[1, 1] == pytest.approx(label(700, "censored").value)
