"""Material: a system of atoms, or a bare composition where no structure is available."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem

# Atomic number -> amount, in any unit: only ratios matter.
Composition: TypeAlias = Mapping[int, float]
Material: TypeAlias = AtomicSystem | Composition


def composition_of(material: Material) -> Composition:
    """Return the amounts of the elements of a material by atomic number; of a system, in rising order."""
    if not isinstance(material, AtomicSystem):
        return material
    numbers, counts = np.unique(material.numbers, return_counts=True)
    return {int(number): float(count) for number, count in zip(numbers, counts, strict=True)}


def compound_of(material: Material) -> str:
    """Return the reduced composition of a material: equal for a crystal, its glass and its supercell."""
    amounts = composition_of(material)
    total = sum(amounts.values())
    fractions = ((number, amount / total) for number, amount in sorted(amounts.items()) if amount > 0)
    return " ".join(f"{number}:{fraction:.5f}" for number, fraction in fractions)


def elements_of(material: Material) -> frozenset[int]:
    """Return the atomic numbers in a material."""
    return frozenset(number for number, amount in composition_of(material).items() if amount > 0)


def atomic_number(symbol: str) -> int:
    """Return the atomic number of a chemical symbol.

    Raises:
        InputError: unknown symbol.
    """
    from ase.data import atomic_numbers  # noqa: PLC0415 - keeps the import of the package light

    number = int(atomic_numbers.get(symbol, 0))
    if number < 1:
        raise InputError(f"unknown element {symbol!r}: give a chemical symbol, for example Li")
    return number
