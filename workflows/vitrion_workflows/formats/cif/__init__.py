"""Crystals from CIF: `reading` is the entrance; sites, symmetry and the formula sum have a module each."""

from vitrion_workflows.formats.cif.reading import parse, read

__all__ = ["parse", "read"]
