"""`vitrion ingest`: files, outputs of jobs and public data sets into the database."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vitrion.cli.console import options as choose
from vitrion.cli.console.output import emit, note, progress
from vitrion_models.errors import InputError
from vitrion_workflows.formats.opening import require_paths

app = typer.Typer(no_args_is_help=True, help="Bring files, outputs of jobs and public data sets into the database.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MOST_LINES_SHOWN = 20
EXIT_PARTLY = 1


class KindChoice(StrEnum):
    """Kinds a user may state, and the one that leaves it to the cell's order."""

    AUTO = "auto"
    CRYSTAL = "crystal"
    AMORPHOUS = "amorphous"
    MELT = "melt"
    MOLECULE = "molecule"


@app.command()
def structures(
    paths: Annotated[list[Path], typer.Argument(help="CIF, POSCAR, JSON, XDATCAR, XYZ, LAMMPS dump ..., or folders.")],
    *,
    kind: Annotated[
        KindChoice,
        typer.Option(help="State of matter of all of them; `auto` looks for crystalline order in each cell."),
    ] = KindChoice.AUTO,
    file_format: choose.FileFormat = None,
    types: choose.Types = None,
    cell: choose.Cell = None,
    topology: choose.Topology = None,
    as_json: AsJson = False,
) -> None:
    """Add the structures of files; a file with an error is skipped and reported (exit code 1 if others went in)."""
    require_paths(paths)
    from vitrion.database import connect  # noqa: PLC0415 - `vitrion --help` does without
    from vitrion.ingest.files import ingest_files  # noqa: PLC0415
    from vitrion_workflows.formats.statements import parse_options  # noqa: PLC0415
    from vitrion_workflows.schemas import StructureKind  # noqa: PLC0415

    stated = None if kind is KindChoice.AUTO else StructureKind(kind.value)
    with connect() as db, progress("reading", quiet=as_json) as advance:
        report = ingest_files(
            db,
            paths,
            kind=stated,
            file_format=file_format,
            options=parse_options(types, cell, topology),
            on_progress=advance,
        )
    for lines, more in ((report.remarks, "remarks, see --json"), (report.faults, "files are refused")):
        for line in lines[:MOST_LINES_SHOWN]:
            note(line)
        if len(lines) > MOST_LINES_SHOWN:
            note(f"and {len(lines) - MOST_LINES_SHOWN} more {more}")
    shown = ("files", "structures", "created", "kinds", "kind_decided_by", "skipped")
    emit(report, as_json=as_json, columns=shown)
    if report.faults:
        raise typer.Exit(EXIT_PARTLY)


@app.command()
def labels(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Exports, outcomes of jobs, or published numbers: .json, .jsonl, .csv, .parquet, ..."),
    ],
    *,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Meaning of a column of published numbers: 'log10_y=log10 sigma T (S K/cm)'; repeatable."),
    ] = None,
    species: Annotated[str | None, typer.Option(help="Mobile species of every published number.")] = None,
    convention: Annotated[
        str | None, typer.Option(help="Convention of published diffusivities: einstein_3d or slope_half.")
    ] = None,
    potential: Annotated[
        str | None, typer.Option(help="Source of published numbers: a potential, a functional, or experiment.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add the labels of files, all or none; exports of a database come back unchanged.

    A table of published numbers declares its units in its headers, such as `T (C)` and `log10 D (m2/s)`.
    """
    require_paths(paths)
    columns = _declared(column or [])
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.ingest.label_files import ingest_labels  # noqa: PLC0415

    with connect() as db:
        constants = {"species": species, "convention": convention, "potential": potential}
        given = {name: text for name, text in constants.items() if text is not None}
        report = ingest_labels(db, paths, columns=columns, constants=given)
    for remark in report.remarks:
        note(remark)
    emit(report, as_json=as_json, columns=("files", "labels", "created", "replaced"))


def _declared(options: list[str]) -> dict[str, str]:
    """Return header -> declaration of options such as ``compound=composition``."""
    declared: dict[str, str] = {}
    for option in options:
        header, equals, declaration = option.partition("=")
        if not equals or not header.strip() or not declaration.strip() or header in declared:
            raise InputError(f"--column {option!r} declares no column: give HEADER=DECLARATION, each header once")
        declared[header] = declaration
    return declared


@app.command()
def jobs(
    store: Annotated[
        Path | None, typer.Argument(help="jobflow's YAML or JSON of a JobStore; the one of this database when none.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add what Vitrion's Makers left in a JobStore, cells and labels; what the database has is passed over."""
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.ingest.builder import build_from_job_store  # noqa: PLC0415
    from vitrion.ingest.job_store import open_job_store  # noqa: PLC0415

    theirs = None if store is None else open_job_store(store)
    with connect() as db:
        report = build_from_job_store(
            db, db.job_store() if theirs is None else theirs, where=db.where if store is None else str(store)
        )
    for job, why in report.refused.items():
        note(f"job {job} is left out: {why}")
    emit(report, as_json=as_json, columns=("structures_created", "labels_created", "labels_replaced", "trajectories"))
    if report.refused:
        raise typer.Exit(EXIT_PARTLY)


@app.command()
def dataset(
    name: Annotated[str, typer.Argument(help="See `vitrion ingest datasets`.")],
    *,
    chemsys: Annotated[
        str | None,
        typer.Option(help="Chemical system, for example Li-P-S (materials-project only)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a public data set, check it, and add its records; a second time adds nothing."""
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.datasets.materials_project import NAME  # noqa: PLC0415
    from vitrion.ingest.datasets import ingest_dataset, ingest_materials_project  # noqa: PLC0415

    if (name == NAME) != (chemsys is not None):
        raise InputError(f"--chemsys belongs to {NAME}, and {NAME} needs it: for example --chemsys Li-P-S")
    with connect() as db, progress(name, quiet=as_json) as advance:
        if chemsys is not None:
            report = ingest_materials_project(db, chemsys=chemsys, on_progress=advance)
        else:
            report = ingest_dataset(db, name, on_progress=advance)
    emit(report, as_json=as_json)


@app.command()
def datasets(*, as_json: AsJson = False) -> None:
    """List the public data sets Vitrion knows, with licence and citation."""
    from vitrion.datasets import materials_project, specifications  # noqa: PLC0415

    rows = [
        {
            "name": specification.name,
            "title": specification.title,
            "licence": specification.licence,
            "citation": specification.citation,
            "files": len(specification.files),
            "sha256": specification.sha256,
        }
        for specification in specifications()
    ]
    rows.append(
        {
            "name": materials_project.NAME,
            "title": "Structures of one chemical system (--chemsys), with a key in MP_API_KEY",
            "licence": materials_project.LICENCE,
            "citation": materials_project.CITATION,
            "files": 0,
            "sha256": None,
        },
    )
    emit(rows, as_json=as_json, columns=("name", "title", "licence", "citation"))
