"""Texts of CIF and POSCAR by pymatgen's writers, with the symbols D and T, which these write as H."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from vitrion_models.errors import InputError
from vitrion_workflows.schemas.isotopes import (
    NAMED_MASSES_U,
    SEPARATOR,
    formulas,
    isotope_amounts,
    site_occupancies,
)

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

CIF_DIGITS = 8
POSCAR_DIGITS = 12
SYMBOL_LINE, COUNT_LINE, FIRST_POSITION = 5, 6, 8


def cif_text(structure: "Structure", path: Path, *, name: str) -> str:
    """Return a structure as a data block of a CIF.

    Args:
        structure: its sites may be partially occupied.
        path: where it will lie.
        name: of the block.

    Raises:
        InputError: it has isotopes other than D and T, whose masses a CIF cannot hold.
    """
    from pymatgen.io.cif import CifWriter  # noqa: PLC0415 - only where structures are written

    symbols = list(_symbols(structure))
    _require_named(symbols, path)
    writer = CifWriter(structure, significant_figures=CIF_DIGITS)
    ((formula, block),) = writer.cif_file.data.items()
    _, units = structure.composition.element_composition.get_reduced_composition_and_factor()
    if units != int(units):  # pymatgen rounds it down; the formula sum is that of the whole cell
        block.data["_cell_formula_units_Z"] = "1"
    if not NAMED_MASSES_U.keys().isdisjoint(symbols):
        block.data["_atom_site_type_symbol"] = symbols
        occupancies = map(float, block.data["_atom_site_occupancy"])
        amounts = dict.fromkeys(symbols, 0.0)
        for symbol, occupancy in zip(symbols, occupancies, strict=True):
            amounts[symbol] += occupancy
        block.data["_chemical_formula_sum"], block.data["_chemical_formula_structural"] = formulas(amounts)
    return str(writer).replace(f"data_{formula}\n", f"data_{name}\n", 1)


def poscar_text(structure: "Structure", path: Path, *, comment: str) -> str:
    """Return an ordered structure as a POSCAR.

    Args:
        structure: ordered.
        path: where it will lie.
        comment: first line.

    Raises:
        InputError: it has isotopes other than D and T, whose masses a POSCAR cannot hold.
    """
    from pymatgen.io.vasp.inputs import Poscar  # noqa: PLC0415 - only where structures are written

    symbols = list(_symbols(structure))
    _require_named(symbols, path)
    lines = Poscar(structure, comment=comment).get_str(significant_figures=POSCAR_DIGITS).splitlines()
    blocks = [(symbol, len(list(atoms))) for symbol, atoms in groupby(symbols)]
    lines[SYMBOL_LINE] = " ".join(symbol for symbol, _ in blocks)
    lines[COUNT_LINE] = " ".join(str(count) for _, count in blocks)
    for index, symbol in enumerate(symbols, start=FIRST_POSITION):
        lines[index] = f"{lines[index].rpartition(' ')[0]} {symbol}"
    return "\n".join(lines) + "\n"


def _symbols(structure: "Structure") -> Iterator[str]:
    """Yield the symbol of each element or isotope of each site, in the order of pymatgen's CIF writer."""
    from pymatgen.core.composition import Composition  # noqa: PLC0415 - only where structures are written

    for site in structure:
        if len(occupancies := site_occupancies(site)) == 1:
            yield from occupancies
        else:
            for species, occupancy in sorted(site.species.items()):
                yield from isotope_amounts(Composition({species: occupancy}))


def _require_named(symbols: list[str], path: Path) -> None:
    if unnamed := sorted({symbol for symbol in symbols if SEPARATOR in symbol}):
        raise InputError(
            f"{path}: this format cannot hold the mass of {', '.join(unnamed)}: write extended XYZ or JSON"
        )
