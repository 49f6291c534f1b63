"""Candidate compositions from known compounds: lithium content, isovalent substitution, charge balance, band gap."""

from vitrion_workflows.candidates.candidate import CandidateComposition, Change, Parent
from vitrion_workflows.candidates.integer_formula import FormulaUnits, formula_units
from vitrion_workflows.candidates.oxidation import oxidation_states
from vitrion_workflows.candidates.proposal import propose_compositions
from vitrion_workflows.candidates.settings import CandidateSettings

__all__ = [
    "CandidateComposition",
    "CandidateSettings",
    "Change",
    "FormulaUnits",
    "Parent",
    "formula_units",
    "oxidation_states",
    "propose_compositions",
]
