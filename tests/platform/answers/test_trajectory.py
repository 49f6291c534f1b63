"""Summary of a trajectory: complete JSON with the numbers of the analysis."""

import json

import numpy as np
import walks

from vitrion.answers.answer import Answer
from vitrion.answers.trajectory import TrajectorySummary, summarize_trajectory
from vitrion_workflows.labelling.analysis import analyse_trajectory
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.observables import observe


def test_a_summary_survives_json():
    path = walks.langevin(
        np.random.default_rng(0), frames=301, ions=20, mass=6.94, temperature=1000, friction=6, interval=0.02
    )
    run = Trajectory(
        numbers=np.full(20, 3),
        positions_A=path + np.random.default_rng(1).random((20, 3)) * 10,
        lattice_A=np.eye(3) * 10,
        frame_interval_ps=0.02,
    )
    analysis = analyse_trajectory(run, species="Li")
    observables = observe(run, mobile="Li", discarded_frames=0)
    summary = summarize_trajectory(analysis, source="run.h5", temperature_K=None, observables=observables)
    assert summary.value == analysis.estimate.value_cm2_per_s
    (lithium,) = summary.every_species
    np.testing.assert_allclose(lithium.tensor, observables.species[0].tensor.tensor_cm2_per_s)
    assert TrajectorySummary.model_validate(json.loads(json.dumps(summary.model_dump(mode="json")))) == summary


def test_every_answer_has_a_json_schema():
    for answer in Answer.__subclasses__():
        assert answer.model_json_schema()["type"] == "object"
