"""Interatomic potentials: a registry of them by name, and energy, forces and stress of periodic cells."""

from vitrion_workflows.potentials import remote
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.checks.physical_checks import CheckReport, check
from vitrion_workflows.potentials.entry import PotentialEntry
from vitrion_workflows.potentials.force_field import ForceField, ForceResult
from vitrion_workflows.potentials.registry import default_potential, entries, find, installed, load
from vitrion_workflows.potentials.weights.installation import install
from vitrion_workflows.potentials.weights.package import weights_folder

__all__ = [
    "Availability",
    "CheckReport",
    "ForceField",
    "ForceResult",
    "PotentialEntry",
    "check",
    "default_potential",
    "entries",
    "find",
    "install",
    "installed",
    "load",
    "remote",
    "weights_folder",
]
