"""Candidates from known compounds: compositions by substitution and lithium content, cells of disordered crystals."""

from vitrion_workflows.candidates.candidate import CandidateComposition, Change, Parent
from vitrion_workflows.candidates.integer_formula import FormulaUnits, formula_units
from vitrion_workflows.candidates.ordering import Ordering, OrderingMethod, order
from vitrion_workflows.candidates.oxidation import oxidation_states
from vitrion_workflows.candidates.proposal import propose_compositions
from vitrion_workflows.candidates.settings import CandidateSettings

__all__ = [
    "CandidateComposition",
    "CandidateSettings",
    "Change",
    "FormulaUnits",
    "Ordering",
    "OrderingMethod",
    "Parent",
    "formula_units",
    "order",
    "oxidation_states",
    "propose_compositions",
]
