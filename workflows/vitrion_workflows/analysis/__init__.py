"""Structure of cells and runs: radial distributions, coordination numbers, bond angles."""

from vitrion_workflows.analysis.bonds import bond_angles, coordination_numbers
from vitrion_workflows.analysis.pairs import Neighbours, neighbours
from vitrion_workflows.analysis.rdf import RadialDistribution, first_minimum_A, partial_rdf, total_rdf
from vitrion_workflows.analysis.vibrations import VibrationalDensity, vibrational_density

__all__ = [
    "Neighbours",
    "RadialDistribution",
    "VibrationalDensity",
    "bond_angles",
    "coordination_numbers",
    "first_minimum_A",
    "neighbours",
    "partial_rdf",
    "total_rdf",
    "vibrational_density",
]
