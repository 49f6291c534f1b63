"""Options that several commands share, and how they are read."""

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrion.keys import cycle_number
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from vitrion_workflows.schemas import ForceCheckSettings

ROWS_IN_A_TABLE = 50
LARGEST_INTEGER = LARGEST_SEED = 2**63 - 1  # what a database can store
MOST_CELLS = 10_000  # of one command
MOST_ATOMS = 10_000  # of a cell that is made here; far more than its dynamics could be waited for

Texts = list[str] | None
Json = Annotated[bool, typer.Option("--json", help="Print JSON: a list of objects, or one object.")]
Formula = Annotated[Texts, typer.Option(help="Full formula, such as Li12P4S16; may be repeated.")]
ReducedFormula = Annotated[Texts, typer.Option(help="Reduced formula, such as Li3PS4; may be repeated.")]
Chemsys = Annotated[Texts, typer.Option(help="Chemical system, such as Li-P-S; may be repeated.")]
ElementsAll = Annotated[str | None, typer.Option(help="Has all of these elements: Li,S.")]
ElementsAny = Annotated[str | None, typer.Option(help="Has any of these elements: Br,I.")]
ElementsNone = Annotated[str | None, typer.Option(help="Has none of these elements: Co,Ni.")]
Kind = Annotated[Texts, typer.Option(help="crystal, amorphous, melt or molecule; may be repeated.")]
Density = Annotated[str | None, typer.Option(help="Density in g/cm3: 1.5:2.5, 2: or :3.")]
MobileIonFraction = Annotated[str | None, typer.Option(help="Share of the mobile ion among the atoms: 0.3:0.6.")]
NAtoms = Annotated[str | None, typer.Option(help="Number of atoms: 48:64.")]
HomonuclearBonds = Annotated[
    str | None,
    typer.Option(help="Bonds between like atoms beyond those that the compound has, in the cell: 0, :0.5 or 1:."),
]
Fingerprint = Annotated[Texts, typer.Option("--fingerprint", help="Whole one; may be repeated.")]
Origin = Annotated[Texts, typer.Option("--origin", help="imported, melt-quench, generated ...")]
Disordered = Annotated[bool | None, typer.Option("--disordered/--ordered", help="Partially occupied sites.")]
Twin = Annotated[Texts, typer.Option("--twin", help="Fingerprint of the crystal twin.")]
Campaign = Annotated[Texts, typer.Option(help="Name of the campaign; may be repeated.")]
Cycle = Annotated[
    int | None,
    typer.Option(min=1, max=LARGEST_INTEGER, help="Number of the cycle, from 1 (JSON: index, from 0)."),
]
Dataset = Annotated[Texts, typer.Option(help="Name of the data set it came from; may be repeated.")]
GateVersion = Annotated[
    str | None,
    typer.Option(
        help="Version of the quality gates: current (the default; includes published values), other, any, or a number "
        "or range (0, 0:1).",
    ),
]
Accepted = Annotated[bool | None, typer.Option("--accepted/--refused", help="Whether every gate was passed.")]
ReferenceForce = Annotated[
    str | None,
    typer.Option(help="Greatest force of the reference potential on a relaxed cell, eV/A: :2 or 4:."),
]
Sort = Annotated[Texts, typer.Option(help="Field to sort by, -field for descending; may be repeated.")]
Limit = Annotated[
    int | None,
    typer.Option(min=0, max=LARGEST_INTEGER, help="At most so many; 0 for all. A table shows 50 unless asked."),
]
Skip = Annotated[int, typer.Option(min=0, max=LARGEST_INTEGER, help="Leave out the first so many.")]
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda, or cuda:1 for the second GPU; auto takes a GPU if there is one.")
]
Temperatures = Annotated[
    str, typer.Option("--temperature", "-t", help="In K: 1000, 600,800 or 600:1000:100 (start:stop:step).")
]
Masses = Annotated[
    str | None,
    typer.Option("--mass", help="Mass of an element's atoms in u: Li=6.015 or Li=6.015,H=2.014."),
]
Target = Annotated[Path, typer.Option("--to", help="File to write; its ending says the format.")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="Format, where the ending of the file does not say it: csv, jsonl, parquet, arrow or hdf5; of structures "
        "also xyz, cif, poscar, json (pymatgen) or ase-db.",
    ),
]
FileFormat = Annotated[
    str | None,
    typer.Option("--format", help="Format, where a file name does not tell it: lammps-dump ..."),
]
Types = Annotated[str | None, typer.Option(help="Elements of the types of a LAMMPS dump: 1=Li,2=Cl.")]
Cell = Annotated[
    str | None,
    typer.Option(
        help="Cell of a file that holds none (plain XYZ, CP2K): 'a b c' in A, 'a b c alpha beta gamma', nine numbers "
        "of its vectors, or CP2K's .cell file."
    ),
]
Topology = Annotated[
    Path | None, typer.Option(help="File that names the atoms of a GROMACS or AMBER trajectory: .gro, .tpr, .prmtop.")
]
ForceCheck = Annotated[
    bool, typer.Option("--force-check/--no-force-check", help="Compare forces with those of a reference potential.")
]
Reference = Annotated[
    str, typer.Option(help="Reference potential of the force check; auto takes DIEP, else CHGNet, else a MACE model.")
]

Across = Annotated[
    Texts, typer.Option("--across", help="Field in which the labels may differ (potential, source ...); repeatable.")
]

CELLS: dict[str, Any] = {
    "formula": Formula,
    "reduced_formula": ReducedFormula,
    "chemsys": Chemsys,
    "elements_all": ElementsAll,
    "elements_any": ElementsAny,
    "elements_none": ElementsNone,
    "kind": Kind,
    "density": Density,
    "mobile_ion_fraction": MobileIonFraction,
    "homonuclear_bonds": HomonuclearBonds,
}
"""Filters by what a cell is made of, which structures and labels share."""

PROVENANCE: dict[str, Any] = {"campaign": Campaign, "cycle": Cycle, "dataset": Dataset}
"""Filters by where a document comes from."""

STRUCTURES: dict[str, Any] = {
    **CELLS,
    "n_atoms": NAtoms,
    "fingerprint": Fingerprint,
    "origin": Origin,
    "disordered": Disordered,
    "twin": Twin,
    **PROVENANCE,
    "accepted": Accepted,
    "reference_force": ReferenceForce,
}
"""Filters of structures."""

Command = Callable[..., None]


@contextmanager
def mixtures_by_option() -> Iterator[None]:
    """Translate the refusal of mixed labels from the `across` of the library to the option `--across`."""
    from vitrion.database.queries.quantity import MixtureError  # noqa: PLC0415 - slow to import

    try:
        yield
    except MixtureError as fault:
        words = " ".join(f"--across {field}" for field in fault.fields)
        raise InputError(f"{fault.mixture}: choose one by filters, or allow several by {words}") from fault


def takes(options: Mapping[str, Any]) -> Callable[[Command], Command]:
    """Give a command a set of options, which reach its ``**typed`` parameter; None where one was not typed.

    Args:
        options: name of each option -> its annotated type.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_options(**arguments: Any) -> None:
            command(**arguments)

        own = inspect.signature(command)
        kept = [each for each in own.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in options.items()
        ]
        every = sorted([*added, *kept], key=lambda each: each.kind)  # arguments stand before options
        with_options.__signature__ = own.replace(parameters=every)  # type: ignore[attr-defined] # read by typer
        with_options.__annotations__ = {each.name: each.annotation for each in every}
        return with_options

    return decorate


def cell_filters(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters that options of `CELLS` and `PROVENANCE` stand for, some of them None or empty."""
    same = ("formula", "reduced_formula", "chemsys", "kind", *PROVENANCE)
    return {
        **{name: typed[name] for name in same},
        "cycle": None if typed["cycle"] is None else typed["cycle"] - cycle_number(0),
        **{name: elements(typed[name]) for name in ("elements_all", "elements_any", "elements_none")},
        "density": interval(typed["density"], option="--density"),
        "mobile_ion_fraction": interval(typed["mobile_ion_fraction"], option="--mobile-ion-fraction"),
        "homonuclear_bonds": interval(typed["homonuclear_bonds"], option="--homonuclear-bonds"),
    }


def structure_filters(typed: Mapping[str, Any]) -> Any:
    """Return the filters of `Structures.search` that options of `STRUCTURES` stand for."""
    return given(
        **cell_filters(typed),
        **{name: typed[name] for name in ("fingerprint", "origin", "disordered", "twin", "accepted")},
        reference_force=interval(typed["reference_force"], option="--reference-force"),
        n_atoms=interval(typed["n_atoms"], option="--n-atoms"),
    )


def given(**options: Any) -> dict[str, Any]:
    """Return the filters that are neither None nor empty."""
    return {name: value for name, value in options.items() if value not in (None, [], ())}


def elements(text: str | None) -> list[str] | None:
    """Return ``Li,S`` as a list."""
    return None if text is None else [symbol.strip() for symbol in text.split(",") if symbol.strip()]


def interval(text: str | None, *, option: str) -> tuple[float | None, float | None] | float | None:
    """Return ``1:2``, ``1:``, ``:2`` or a number as a range.

    Raises:
        InputError: the text is not a range.
    """
    if text is None:
        return None
    lowest, colon, highest = text.partition(":")
    try:
        if not colon:
            return float(lowest)
        low, high = (float(lowest) if lowest else None, float(highest) if highest else None)
    except ValueError:
        raise InputError(f"{option} {text!r} is not a range: give lowest:highest, such as 1.5:2.5") from None
    if low is not None and high is not None and low > high:
        raise InputError(f"{option} {text!r} is an empty range: give the lower end first, {highest}:{lowest}")
    return low, high


def gate_version(text: str | None) -> tuple[float | None, float | None] | float | str | None:
    """Return the `gate_version` filter of labels: one of its words, or a range of versions.

    Raises:
        InputError: it is neither.
    """
    from vitrion.database.queries.gate_versions import CLAUSES  # noqa: PLC0415 - the database is slow to import

    if text is None or text in CLAUSES:
        return text
    try:
        return interval(text, option="--gate-version")
    except InputError as fault:
        raise InputError(f"{fault}, or one of {', '.join(CLAUSES)}") from None


def page_size(limit: int | None, *, as_json: bool) -> int:
    """Return how many rows to fetch: all for JSON, a screenful for a table."""
    if limit is not None:
        return limit
    return 0 if as_json else ROWS_IN_A_TABLE


def charges(text: str) -> dict[str, float]:
    """Return the formal charge of each species of a text such as ``Li=1,Cl=-1``.

    Raises:
        InputError: a part is no charge, or a species stands twice.
    """
    return _number_of_each(text, f"--charge {text!r} states no charges: give each species once, such as Li=1,Cl=-1")


def masses(text: str | None) -> dict[str, float]:
    """Return the mass in u of each element of a text such as ``Li=6.015,H=2.014``; none where it is None.

    Raises:
        InputError: a part is no mass, or an element stands twice.
    """
    if text is None:
        return {}
    return _number_of_each(text, f"--mass {text!r} states no masses: give each element once, such as Li=6.015")


def force_check_settings(*, force_check: bool, reference: str) -> "ForceCheckSettings | None":
    """Return the settings of the force check; None for ``--no-force-check``.

    Raises:
        InputError: a reference potential without a force check, or one that there is not.
        MissingDependencyError: the reference potential is not installed.
    """
    from vitrion_workflows.force_check.reference import require_reference  # noqa: PLC0415 - slow to import
    from vitrion_workflows.schemas import ForceCheckSettings  # noqa: PLC0415

    settings = ForceCheckSettings(reference=reference)
    if not force_check:
        if settings != ForceCheckSettings():
            raise InputError("--reference belongs to the force check: leave out --no-force-check")
        return None
    require_reference(settings.reference)
    return settings


def _number_of_each(text: str, fault: str) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for part in text.split(","):
        symbol, equals, number = (word.strip() for word in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not equals or not symbol or not math.isfinite(value) or symbol in numbers:
            raise InputError(fault)
        numbers[symbol] = value
    return numbers
