"""What a surrogate learns from: a cell (or a bare composition), a temperature, and a measured log10 D."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from vitrion_models.constants import HOTTEST_K
from vitrion_models.errors import InputError
from vitrion_models.graphs import composition_of
from vitrion_models.system import AtomicSystem

# What can be asked about: a cell, crystalline or amorphous, or amounts by atomic number where no cell is known.
Material: TypeAlias = AtomicSystem | Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Observation:
    """One label.

    Attributes:
        system: the cell the label was measured on, or None where only its composition is known.
        species: symbol of the mobile species, for example ``Li``.
        temperature_K: temperature of the label, not of the snapshot.
        log10_D: decimal logarithm of the Einstein tracer diffusivity in cm2/s; the upper bound of a censored label.
        log10_stderr: standard error of `log10_D` in decades.
        censored: whether `log10_D` is an upper bound.
        group: what must not be split, for example the chemical system.
        key: identity of the label.
        composition: amounts by atomic number; needed where `system` is None, ignored otherwise.
        source: identity of what made the label (a potential's name and the sha256 of its weights, or a data set):
            one training set holds one source.
        model_stderr: deviation of what that source is off by for this compound alone, decades, apart from
            `log10_stderr`: labels of one compound share it, other compounds do not.
    """

    system: AtomicSystem | None
    species: str
    temperature_K: float
    log10_D: float
    log10_stderr: float
    censored: bool
    group: str
    key: str
    composition: Mapping[int, float] = field(default_factory=dict)
    source: str = ""
    model_stderr: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no surrogate can learn from.

        Raises:
            InputError: an impossible temperature, a value or error that is no number, an unknown species, or neither
                cell nor composition.
        """
        check_temperature(self.temperature_K)
        if not np.isfinite(self.log10_D):
            raise InputError(f"label {self.key}: log10 D is {self.log10_D}, not a number")
        for error in (self.log10_stderr, self.model_stderr):
            if not (np.isfinite(error) and error >= 0):
                raise InputError(f"label {self.key}: a standard error of {error} decades is no error")
        if self.system is None and not self.composition:
            raise InputError(f"label {self.key} has neither a cell nor a composition")
        species_number(self.species)

    @property
    def material(self) -> Material:
        """The cell where there is one, else the composition."""
        return self.composition if self.system is None else self.system


def compound_of(material: Material) -> str:
    """The composition of a material, reduced: equal for a crystal, its glass and its supercell."""
    amounts = composition_of(material) if isinstance(material, AtomicSystem) else material
    total = sum(amounts.values())
    shares = ((number, amount / total) for number, amount in sorted(amounts.items()) if amount > 0)
    return " ".join(f"{number}:{share:.5f}" for number, share in shares)


def elements_of(material: Material) -> frozenset[int]:
    """Atomic numbers in a material."""
    amounts = composition_of(material) if isinstance(material, AtomicSystem) else material
    return frozenset(number for number, amount in amounts.items() if amount > 0)


def species_number(symbol: str) -> int:
    """Atomic number of a symbol.

    Raises:
        InputError: there is no such element.
    """
    from ase.data import atomic_numbers  # noqa: PLC0415 - keeps the import of the package light

    number = int(atomic_numbers.get(symbol, 0))
    if number < 1:
        raise InputError(f"{symbol!r} is no element: give the symbol of the mobile species, for example Li")
    return number


def check_temperature(temperature_K: float) -> None:
    """Refuse a temperature that nothing has.

    Raises:
        InputError: not a number in (0, 10000] K.
    """
    if not (np.isfinite(temperature_K) and 0 < temperature_K <= HOTTEST_K):
        raise InputError(
            f"a temperature of {temperature_K} K is impossible: give one above 0 and up to {HOTTEST_K:g} K"
        )
