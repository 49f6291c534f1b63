"""When a run may end: looks, verdicts, and what stopping does to value and interval."""

from dataclasses import replace

import numpy as np
import pytest
import walks
from pydantic import ValidationError

from vitrion_workflows.diffusivity.gates import diffusivity, resolution
from vitrion_workflows.labelling.stopping import StoppingRule, stop_reason, stopping_rule
from vitrion_workflows.schemas import LabelProtocol, StopReason
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.temperature import Coupling

INTERVAL_PS = 0.05
RULE = StoppingRule(target_log10_stderr=0.1, least_ps=4.0, most_ps=60.0, frame_interval_ps=INTERVAL_PS)


def end_of(path, rule=RULE):
    """Why and after how many steps a run ends, and its estimate there."""

    def estimate_of(steps):
        return diffusivity(path[: steps + 1], rule.frame_interval_ps)

    for look in rule.looks:
        reason = rule.reason(look, estimate_of, ions=path.shape[1])
        if reason is not None:
            return reason, look, estimate_of(look)
    return StopReason.MOST, len(path) - 1, estimate_of(len(path) - 1)


def trajectory_of(path):
    return Trajectory(
        numbers=np.full(path.shape[1], 3),
        positions_A=path,
        lattice_A=np.eye(3) * 20,
        frame_interval_ps=INTERVAL_PS,
    )


def test_looks_grow_by_a_tenth_between_least_and_most():
    looks = RULE.looks
    assert looks[0] == 80
    assert looks[-1] < 1200
    assert looks[-1] * 1.1 >= 1199
    np.testing.assert_allclose(np.diff(np.log(looks)), np.log(1.1), atol=0.02)


def test_few_ions_make_as_many_jumps_in_all_before_a_run_may_end():
    """D = 2 A2/ps: an ion makes six jumps of 3 A in 4.5 ps, four ions make 72 in 13.5; known within 20 % or so."""
    rule = replace(RULE, target_log10_stderr=0.2)
    rng = np.random.default_rng(6)
    lengths = [end_of(walks.brownian(rng, frames=1201, ions=4, D=2.0, interval=INTERVAL_PS), rule)[1] for _ in range(5)]
    assert np.mean(lengths) * INTERVAL_PS == pytest.approx(13.5, rel=0.3)


def test_a_least_time_beyond_the_most_never_ends_early():
    assert StoppingRule(target_log10_stderr=0.1, least_ps=4.0, most_ps=2.0, frame_interval_ps=0.02).looks == ()


def test_a_frozen_cell_is_given_up_and_bounded():
    path = walks.rattle(np.random.default_rng(1), frames=1201, ions=24, amplitude=0.3, memory=0.1, interval=INTERVAL_PS)
    reason, look, estimate = end_of(path)
    assert reason is StopReason.HOPELESS
    assert look * INTERVAL_PS < 20
    result = resolution(estimate, ions=24)
    assert not result.resolved
    assert result.upper_bound_cm2_per_s > 0


def test_fast_motion_ends_early_and_slow_motion_late():
    rng = np.random.default_rng(2)
    ends = [end_of(walks.caged_hops(rng, frames=1201, ions=24, D=D, interval=INTERVAL_PS)) for D in (3.0, 0.3)]
    assert [reason for reason, _, _ in ends] == [StopReason.TARGET] * 2
    assert ends[0][1] < 0.5 * ends[1][1]
    assert all(estimate.log10_stderr <= 0.1 for _, _, estimate in ends)


def test_sub_diffusion_is_never_good_enough():
    path = walks.subdiffusive(np.random.default_rng(3), frames=1201, ions=24, exponent=0.6, interval=INTERVAL_PS)
    assert end_of(path)[0] is StopReason.MOST


def test_stopping_leaves_value_and_interval_alone():
    """60 runs, scatter 0.13: mean within 5 % (3 sigma); coverage of 95 % below 86 % by chance in 0.3 % of seeds."""
    rng = np.random.default_rng(4)
    truth = 1.0
    paths = [walks.caged_hops(rng, frames=601, ions=24, D=truth, interval=INTERVAL_PS) for _ in range(60)]
    estimates = [end_of(path)[2] for path in paths]
    assert np.mean([e.value_cm2_per_s for e in estimates]) == pytest.approx(truth * 1e-4, rel=0.05)
    inside = [e.interval_95[0] <= truth * 1e-4 <= e.interval_95[1] for e in estimates]
    assert np.mean(inside) >= 0.86


def test_a_trajectory_ends_only_at_a_look_and_the_same_however_often_it_is_asked():
    path = walks.brownian(np.random.default_rng(5), frames=1201, ions=24, D=2.0, interval=INTERVAL_PS)
    whole = trajectory_of(path)
    assert stop_reason(whole, species="Li", rule=RULE) is StopReason.MOST
    reasons = {steps: stop_reason(trajectory_of(path[: steps + 1]), species="Li", rule=RULE) for steps in (79, 80, 81)}
    assert reasons == {79: None, 80: StopReason.TARGET, 81: None}
    assert stop_reason(trajectory_of(path[:81]), species="Li", rule=RULE) is StopReason.TARGET


def test_a_run_that_does_not_know_its_temperature_goes_on():
    """Langevin at 1 / ps: 2 / (3 N 0.0215^2) ps are needed, whatever the error of D is."""
    path = walks.brownian(np.random.default_rng(0), frames=81, ions=200, D=4.0, interval=RULE.frame_interval_ps)
    run = trajectory_of(path)
    weak = replace(RULE, coupling=Coupling(1.0, noisy=True))
    assert weak.coupling.needed_ps(len(run.numbers)) > 80 * RULE.frame_interval_ps
    assert stop_reason(run, species="Li", rule=RULE) is StopReason.TARGET
    assert stop_reason(run, species="Li", rule=weak) is None
    assert stop_reason(run, species="Li", rule=replace(RULE, coupling=Coupling(100.0, noisy=True))) is StopReason.TARGET


def test_protocols_without_a_target_keep_their_json():
    """Keys of labels made before the rule existed must not change."""
    assert set(LabelProtocol().model_dump(mode="json")) == {
        "time_step_fs",
        "frame_interval_fs",
        "production_ps",
        "thermostat",
        "friction_per_ps",
    }
    assert stopping_rule(LabelProtocol()) is None
    rule = LabelProtocol(production_ps=40, target_log10_stderr=0.08, least_ps=4)
    assert LabelProtocol.model_validate_json(rule.model_dump_json()) == rule
    assert stopping_rule(rule) == StoppingRule(
        target_log10_stderr=0.08,
        least_ps=4.0,
        most_ps=40.0,
        frame_interval_ps=0.02,
        coupling=Coupling(10.0, noisy=False),
    )


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"target_log10_stderr": 0.1}, "belong together"),
        ({"least_ps": 2.0}, "belong together"),
        ({"target_log10_stderr": 0.1, "least_ps": 13.0}, "must lie between"),
        ({"target_log10_stderr": 0.1, "least_ps": 0.5}, "must lie between"),
        ({"target_log10_stderr": -0.1, "least_ps": 2.0}, "greater than 0"),
    ],
)
def test_impossible_rules_are_refused(fields, fault):
    with pytest.raises(ValidationError, match=fault):
        LabelProtocol(**fields)


def test_a_protocol_that_is_shortened_keeps_its_early_end_only_where_there_is_room():
    whole = LabelProtocol(production_ps=24, target_log10_stderr=0.08, least_ps=4)
    assert whole.lasting(12.0).target_log10_stderr == 0.08
    short = whole.lasting(0.8)
    assert (short.production_ps, short.target_log10_stderr, short.least_ps) == (0.8, None, None)
    assert LabelProtocol.model_validate_json(short.model_dump_json()) == short
