"""Structure of cells and runs: radial distributions, coordination numbers, bond angles, rings."""

from vitrion_workflows.analysis.bonds import bond_angles, coordination_numbers, neighbours
from vitrion_workflows.analysis.network import BondNetwork, bond_network
from vitrion_workflows.analysis.rdf import RadialDistribution, first_minimum_A, partial_rdf, total_rdf
from vitrion_workflows.analysis.rings import Rings, king_rings
from vitrion_workflows.analysis.vibrations import VibrationalDensity, vibrational_density

__all__ = [
    "BondNetwork",
    "RadialDistribution",
    "Rings",
    "VibrationalDensity",
    "bond_angles",
    "bond_network",
    "coordination_numbers",
    "first_minimum_A",
    "king_rings",
    "neighbours",
    "partial_rdf",
    "total_rdf",
    "vibrational_density",
]
