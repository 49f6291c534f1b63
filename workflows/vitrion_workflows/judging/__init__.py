"""Judgement of a potential, composition by composition, against a reference potential."""

from vitrion_workflows.judging.comparison import FrameComparison, compare_frames, compare_melt
from vitrion_workflows.judging.cost import Evaluations, most_evaluations, most_seconds
from vitrion_workflows.judging.crystal import CrystalComparison, compare_crystal
from vitrion_workflows.judging.equation_of_state import EquationOfState, equation_of_state
from vitrion_workflows.judging.errors import EquationOfStateFailed, NoComparison
from vitrion_workflows.judging.judgement import Judgement, NamedCrystal, judge
from vitrion_workflows.judging.melt import Melt, MeltVolume, melt_at_zero_pressure
from vitrion_workflows.judging.protocol import JudgingProtocol

__all__ = [
    "CrystalComparison",
    "EquationOfState",
    "EquationOfStateFailed",
    "Evaluations",
    "FrameComparison",
    "Judgement",
    "JudgingProtocol",
    "Melt",
    "MeltVolume",
    "NamedCrystal",
    "NoComparison",
    "compare_crystal",
    "compare_frames",
    "compare_melt",
    "equation_of_state",
    "judge",
    "melt_at_zero_pressure",
    "most_evaluations",
    "most_seconds",
]
