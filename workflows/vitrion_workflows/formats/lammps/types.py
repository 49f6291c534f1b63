"""Elements of the atoms of a LAMMPS dump: from its columns, or from the user's names of its types."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase.data import atomic_masses, chemical_symbols

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import atoms_of, floats
from vitrion_workflows.formats.opening import lines

TYPES = ("type", "typelabel")
DEFAULT_ELEMENT = "C"  # of every type, where `dump_modify element` was not given
MASS_UNITS = {None, "metal", "real"}  # styles in which masses are g/mol
HINT_TOLERANCE = 0.02
LARGEST_MASS_ERROR = 0.03  # isotopes of an element differ by more only where no other element is as near
HEAVIEST_HYDROGEN_U = 4.1  # hydrogen is made heavier for longer time steps


def elements_of_atoms(
    columns: Mapping[str, Sequence[str]], types: Mapping[str, str], *, units: str | None
) -> tuple[IntArray, FloatArray | None]:
    """Return atomic numbers, shape (N,), and masses in u, shape (N,); None for standard weights.

    Args:
        columns: words of the atoms by column.
        types: element of each type as the user states it; empty where the dump names its elements.
        units: style of the dump; masses are used where they are in g/mol.

    Raises:
        InputError: elements that the dump does not name, that the user does not state for each type, or that
            contradict the column ``element`` or ``mass``.
    """
    kind = next((column for column in TYPES if column in columns), None)
    masses = _masses(columns, units)
    words: Sequence[str]
    if types:
        words = _stated(columns, kind, types)
    elif "element" in columns:
        words = columns["element"]
        if kind and set(words) == {DEFAULT_ELEMENT} and len(set(columns[kind])) > 1:
            raise InputError(
                "every element is C, which LAMMPS writes where dump_modify element is not given, for types "
                f"{_listed(columns[kind])}: {_hint(columns[kind], masses)}"
            )
    elif (labels := _labels(columns)) is not None:
        words = labels
    elif kind:
        raise InputError(
            "the dump does not say which elements its types are: write a column 'element' (dump_modify element), or "
            f"{_hint(columns[kind], masses)}"
        )
    else:
        raise InputError("the dump does not say which elements its atoms are: dump a column 'element', too")
    # A word at a time: a frame has few of them and many atoms.
    known = {word: atoms_of([word]) for word in dict.fromkeys(words)}
    numbers = np.array([known[word][0][0] for word in words], dtype=np.int64)
    if masses is None:
        if all(own is None for _, own in known.values()):
            return numbers, None
        return numbers, np.array([_mass(*known[word]) for word in words])
    _check_masses(numbers, masses)
    return numbers, masses


def _mass(numbers: IntArray, masses: FloatArray | None) -> float:
    return float(atomic_masses[numbers[0]] if masses is None else masses[0])


def _masses(columns: Mapping[str, Sequence[str]], units: str | None) -> FloatArray | None:
    if "mass" not in columns or units not in MASS_UNITS:
        return None
    return floats(columns["mass"], place="column mass")


def _stated(columns: Mapping[str, Sequence[str]], kind: str | None, types: Mapping[str, str]) -> list[str]:
    if kind is None:
        raise InputError("--types names the types of a dump, and this one has no column 'type': dump one, too")
    if unnamed := sorted(set(columns[kind]) - types.keys()):
        raise InputError(f"--types does not name type {unnamed[0]}: the dump has types {_listed(columns[kind])}")
    words = [types[word] for word in columns[kind]]
    own = columns.get("element", words)
    if set(own) != {DEFAULT_ELEMENT}:
        contradictions = {(word, element) for word, element in zip(words, own, strict=True) if word != element}
        if contradictions:
            word, element = min(contradictions)
            raise InputError(f"--types says {word} where the column 'element' says {element}: leave --types out")
    return words


def _labels(columns: Mapping[str, Sequence[str]]) -> Sequence[str] | None:
    for column in ("typelabel", "type"):
        if column in columns and not any(word.isdecimal() for word in columns[column]):
            return columns[column]
    return None


def _check_masses(numbers: IntArray, masses: FloatArray) -> None:
    for number, mass in sorted(set(zip(numbers.tolist(), masses.tolist(), strict=True))):
        nearest = _nearest(mass)
        is_heavy_hydrogen = number == 1 and 0 < mass <= HEAVIEST_HYDROGEN_U
        error = abs(mass / atomic_masses[number] - 1)
        if nearest != number and error > LARGEST_MASS_ERROR and not is_heavy_hydrogen:
            raise InputError(
                f"atoms of mass {mass:g} are called {chemical_symbols[number]}: "
                f"{chemical_symbols[nearest]}? correct the elements (--types), or leave the column 'mass' out"
            )


def _nearest(mass: float) -> int:
    return int(np.abs(atomic_masses[1:] - mass).argmin()) + 1


def _listed(types: Sequence[str]) -> str:
    return ", ".join(sorted(set(types))[:10])


def _hint(types: Sequence[str], masses: FloatArray | None) -> str:
    """Return how to state the elements of types, with those that masses suggest."""
    names = sorted(set(types))[:10]
    if masses is None:
        return f"state --types {','.join(f'{name}=ELEMENT' for name in names)}"
    mass_of = dict(zip(types, masses.tolist(), strict=True))
    return hint_of_masses({name: mass_of[name] for name in names})


def hint_of_masses(masses_u: Mapping[str, float]) -> str:
    """Return how to state the elements of types of these masses in u, named by the type."""
    symbols = {}
    for name, mass in masses_u.items():
        nearest = _nearest(mass)
        is_near = abs(mass / atomic_masses[nearest] - 1) <= HINT_TOLERANCE
        symbols[name] = chemical_symbols[nearest] if is_near else "ELEMENT"
    given = ", ".join(f"{mass:g}" for mass in masses_u.values())
    return f"masses are {given}; if they are {', '.join(symbols.values())}, state --types " + ",".join(
        f"{name}={symbol}" for name, symbol in symbols.items()
    )


def hint_of_data_file(path: Path) -> str:
    """Return how to state the elements of the types whose masses a LAMMPS data file holds.

    Raises:
        InputError: no section of masses.
    """
    masses: dict[str, float] = {}
    is_section = False
    for line in lines(path):
        words = line.partition("#")[0].split()
        if words == ["Masses"]:
            is_section = True
        elif is_section and len(words) == 2 and words[0].isdecimal():  # noqa: PLR2004 - type and mass
            masses[words[0]] = float(floats(words[1:], place="Masses")[0])
        elif is_section and words:
            break
    if not masses:
        raise InputError(f"{path}: no section Masses of a LAMMPS data file: state the elements, such as 1=Li,2=Cl")
    return hint_of_masses(masses)
