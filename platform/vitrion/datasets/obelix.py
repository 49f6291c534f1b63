"""OBELiX: measured room-temperature lithium conductivities, with crystal structures for two thirds of them."""

import csv
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pymatgen.core.structure import Structure

from vitrion.datasets.formulas import reduced
from vitrion.datasets.records import DatasetContent, DatasetLabel, DatasetStructure
from vitrion_models.errors import InputError, first_line
from vitrion_workflows.formats.cif import parse
from vitrion_workflows.schemas import GateOutcome, LabelState, StructureKind

TABLE, CIFS = "table", "cifs"
COLUMN = "Ionic conductivity (S cm-1)"
ROOM_TEMPERATURE_K = 298.15
BELOW = "<"


def load(files: Mapping[str, Path]) -> DatasetContent:
    """Read structures (disordered ones unchanged), conductivities (S/cm) and the authors' own split.

    A target such as ``<1E-10`` becomes a censored label whose value is the upper bound. Rows whose CIF is in the
    archive belong to that structure, the others to their composition.

    Raises:
        InputError: the table has other columns, or the archive cannot be read.
    """
    structures = _structures(files[CIFS])
    labels = tuple(_label(row, structures) for row in _rows(files[TABLE]))
    training = {label.name for label in labels}
    parts = {name: "train" if name in training else "test" for name in sorted(training | structures.keys())}
    references = {label.name: label.reference for label in labels}
    return DatasetContent(
        structures=tuple(
            DatasetStructure(
                name=name,
                structure=structure,
                kind=StructureKind.CRYSTAL,
                properties={"reference": references.get(name) or None},
            )
            for name, structure in structures.items()
        ),
        labels=labels,
        splits={"official": parts},
        notes=(
            "conductivities are measured on ceramics at room temperature: never mix them with tracer diffusivities",
            "structures from ICSD carry 0.01 of fractional noise on purpose",
            "structures without a row belong to the authors' test part, whose targets are not in this table",
        ),
    )


def conductivity(text: str) -> tuple[float, LabelState]:
    """Return a printed target in S/cm and its state: ``1.2e-4`` is a value, ``<1E-10`` an upper bound.

    Raises:
        InputError: the text is neither.
    """
    stripped = text.strip()
    censored = stripped.startswith(BELOW)
    try:
        value = float(stripped.removeprefix(BELOW))
    except ValueError as fault:
        raise InputError(f"{text!r} is not a conductivity") from fault
    if not value > 0:
        raise InputError(f"{text!r}: a conductivity must be positive")
    return value, LabelState.CENSORED if censored else LabelState.PUBLISHED


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if not rows or not {"ID", COLUMN, "Reduced Composition"} <= rows[0].keys():
        raise InputError(f"{path}: not the OBELiX table; its columns have other names")
    return rows


def _structures(archive: Path) -> dict[str, Structure]:
    try:
        with zipfile.ZipFile(archive) as bundle:
            members = [name for name in sorted(bundle.namelist()) if name.endswith(".cif")]
            return {PurePosixPath(name).stem: _crystal(bundle.read(name).decode()) for name in members}
    except (zipfile.BadZipFile, ValueError, KeyError) as fault:
        raise InputError(f"{archive}: not a readable archive of CIFs ({first_line(fault)})") from fault


def _crystal(text: str) -> Structure:
    (entry,) = parse(text)
    return entry.structure


def _label(row: dict[str, str], structures: Mapping[str, Structure]) -> DatasetLabel:
    value, state = conductivity(row[COLUMN])
    bound = GateOutcome(
        name="detection_limit",
        passed=state is LabelState.PUBLISHED,
        value=value,
        unit="S/cm",
        message="printed as an upper bound" if state is LabelState.CENSORED else "printed as a value",
    )
    return DatasetLabel(
        name=row["ID"],
        formula=reduced(row["Reduced Composition"]),
        structure=row["ID"] if row["ID"] in structures else None,
        property="ionic_conductivity",
        species="Li",
        temperature_K=ROOM_TEMPERATURE_K,
        value=value,
        unit="S/cm",
        convention="as_published",
        potential="experiment",
        state=state,
        method="experiment (impedance), room temperature",
        gates=(bound,),
        raw_value=value,
        reference=row.get("DOI", ""),
    )
