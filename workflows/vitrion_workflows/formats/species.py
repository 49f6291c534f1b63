"""Names of species in files of other programs: elements, hydrogen isotopes, charges, pseudopotentials and vacancies.

One rule for every format: a word names an element of the periodic table, D or T, or a declared vacancy, or it is
refused. No letter of it is taken for an element by itself: ``OH``, ``Wat`` and ``X`` are refused.
"""

import re
from dataclasses import dataclass

from ase.data import atomic_numbers

from vitrion_models.errors import InputError

HYDROGEN_ISOTOPES = ("D", "T")
VACANCIES = frozenset({"vac", "vacancy", "va", "[]"})  # compared in lower case; ``X`` is an unknown atom, not a vacancy
LONGEST_SYMBOL = 2
TETRAHEDRAL = "T"  # zeolites have sites T1, T2: no tritium
# Li+, O2-, O-2, Fe2.5+, Na1+: sign before or behind the amount.
AMOUNT = r"\d+(?:\.\d+)?"
CHARGED = re.compile(
    rf"(?P<symbol>[A-Za-z]+)(?:(?P<amount>{AMOUNT})?(?P<sign>[+-])|(?P<first>[+-])(?P<behind>{AMOUNT}))", re.ASCII
)
# VASP writes the name of the pseudopotential, Li_sv, and since 6.4.2 its hash after a slash.
PSEUDOPOTENTIAL = re.compile(r"(?P<symbol>[A-Za-z]+)(_[A-Za-z0-9_.]+)?(/[0-9A-Fa-f]*)?", re.ASCII)
# A label of CIF: symbol, then a number or another component that is not a letter.
LABEL = re.compile(r"(?P<symbol>[A-Za-z]+)([^A-Za-z].*)?")


@dataclass(frozen=True)
class SpeciesName:
    """Species that a word of a file names.

    Attributes:
        symbol: of the element, or ``D`` or ``T``; empty for a vacancy.
        charge_e: oxidation state in elementary charges; None where not stated.
    """

    symbol: str
    charge_e: float | None = None

    @property
    def is_vacancy(self) -> bool:
        """True for a vacancy, which is no atom."""
        return not self.symbol

    @property
    def atomic_number(self) -> int:
        """Atomic number; 0 for a vacancy."""
        return 1 if self.symbol in HYDROGEN_ISOTOPES else atomic_numbers[self.symbol or "X"]


VACANCY = SpeciesName("")


def parse_species(word: str) -> SpeciesName:
    """Return the species that a word names: ``Li``, ``LI``, ``D``, ``Na+``, ``O2-``, ``Li_sv/6f3e2a1b`` or ``Vac``.

    Raises:
        InputError: the word names no element, isotope of hydrogen or vacancy, or could name two.
    """
    if word.lower() in VACANCIES:
        return VACANCY
    if match := PSEUDOPOTENTIAL.fullmatch(word):
        return SpeciesName(_symbol(match["symbol"], word))
    if match := CHARGED.fullmatch(word):
        amount = float(match["behind"] or match["amount"] or 1.0)
        negative = "-" in {match["sign"], match["first"]}
        return SpeciesName(_symbol(match["symbol"], word), -amount if negative else amount)
    raise InputError(_refusal(word))


def parse_label(label: str) -> SpeciesName:
    """Return the species of a site's label, ``Li1`` or ``O2A``: the letters before its first digit or sign.

    Raises:
        InputError: these letters are not the symbol of an element, such as in ``OW1``, ``Wat1`` or ``CA1``, or are
            ``T``, which names a tetrahedral site of silicates more often than tritium.
    """
    match = LABEL.fullmatch(label)
    letters = match["symbol"] if match else ""
    if letters.lower() in VACANCIES and not letters.isupper():
        return VACANCY
    if not _is_symbol(letters) or letters == TETRAHEDRAL:
        raise InputError(_refusal(label))
    return SpeciesName(letters)


def parse_atom(word: str) -> SpeciesName:
    """Return the species of an atom, as `parse_species`, where a format has no place for a vacancy.

    Raises:
        InputError: the word names no element or isotope of hydrogen.
    """
    species = parse_species(word)
    if species.is_vacancy:
        raise InputError(f"{word!r} is a vacancy, which this format cannot hold: remove it")
    return species


def _symbol(letters: str, word: str) -> str:
    if _is_symbol(letters):
        return letters
    # LI is lithium; CO may be cobalt or carbon monoxide, SI silicon or two atoms.
    is_capital = len(letters) == LONGEST_SYMBOL and letters.isupper()
    if is_capital and _is_symbol(letters.capitalize()) and not all(map(_is_symbol, letters)):
        return letters.capitalize()
    raise InputError(_refusal(word))


def _is_symbol(letters: str) -> bool:
    return letters in HYDROGEN_ISOTOPES or atomic_numbers.get(letters, 0) > 0


def _refusal(word: str) -> str:
    shown = word if len(word) <= 20 else f"{word[:20]}..."  # noqa: PLR2004 - no word of a species is longer
    return f"{shown!r} is not an element, D, T or a declared vacancy (Vac): write the symbol of each atom"
