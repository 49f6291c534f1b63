"""Labels to put an Arrhenius line through, from a file whose rows are of one quantity and one material."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrion.cli.arrhenius_points import NAMES, Material, joined, point_of
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import Convention
from vitrion_workflows.schemas.start import StartKind

if TYPE_CHECKING:
    from vitrion_workflows.arrhenius.fit import ArrheniusPoint

# What every row must say, in any of these columns, and all rows alike (docs/design/mixing.md); or the caller vouches.
MUST_SAY = {
    "species": ("species",),
    "convention": ("convention",),
    "potential": ("potential",),
    "weights_sha256": ("weights_sha256", "dataset"),
    "protocol": ("protocol_hash", "protocol", "dataset"),
    "start": ("start", "method", "dataset"),
}
# Where a file has these columns, all its rows must agree in them, and none may leave out what others state.
MUST_AGREE = ("property", "unit", "dataset", "kind")
# The same for what names the material, however it is spelt; a formula is reduced before, a sample's name (S1) is none.
FORMULAS = ("reduced_formula", "formula", "chemical_formula", "composition")
MATERIAL = (*FORMULAS, "material", "material_id", "compound", "sample")
EXPECTED = {"property": "tracer_diffusivity", "convention": Convention.EINSTEIN_3D.value, "unit": "cm2/s"}
SHOWN = 40  # characters of a value in a message


def from_file(
    path: Path, *, stated_stderr: float | None, across: Sequence[str] = (), one_source: bool = False
) -> tuple[list["ArrheniusPoint"], Material]:
    """Points of a CSV, JSON or JSON-lines file.

    Args:
        path: columns temperature_K, log10_D (cm2/s), log10_stderr and, if any, censored; exported labels will do.
        stated_stderr: decades, for rows that hold none.
        across: what of `MUST_SAY`, `MUST_AGREE` and `MATERIAL` the rows may differ in, or ``gate_version``.
        one_source: the caller's word that what the rows do not say is the same in all of them, and that their D is
            the Einstein value in cm2/s.

    Raises:
        InputError: no such file, columns or numbers, rows of different quantities, or rows that do not say of which
            quantity they are while nobody vouches for them.
    """
    from vitrion.database.queries.gate_versions import count_others  # noqa: PLC0415 - the database is slow to import

    rows = _rows(path)
    known = (*MUST_SAY, *MUST_AGREE, *MATERIAL, "gate_version")
    if unknown := sorted(set(across) - {*known}):
        raise InputError(f"the rows of a file cannot be mixed across {unknown[0]!r}: choose from {', '.join(known)}")
    if "potential" in across:
        across = [*across, "weights_sha256"]  # another potential has other weights
    unsaid = tuple(name for name in MUST_SAY if name not in across and any(_said(row, name) is None for row in rows))
    for name in MUST_AGREE:
        texts = [_text(row, name) for row in rows]
        if any(texts):
            _require_agreement(path, name, [text or "not said" for text in texts], across)
    materials = _materials(rows)
    for name, texts in materials.items():
        _require_agreement(path, name, [text or "not said" for text in texts], across)
    for name in MUST_SAY:
        _require_agreement(path, name, [said for row in rows if (said := _said(row, name)) is not None], across)
    versions = _gate_versions(rows, path)
    _require_agreement(path, "gate_version", [str(version) for version in versions], across)
    if unsaid and not one_source:
        raise InputError(
            f"{path} does not say {', '.join(unsaid)} of each of its labels, which may be of several: add the columns, "
            "or vouch by --one-source that all rows are of one potential, protocol and start, as Einstein values"
        )
    points = [point_of(row, f"{path}, row {number}", stated_stderr) for number, row in enumerate(rows, start=1)]
    species = rows[0].get("species") or None
    name = next((texts[0] for texts in materials.values() if len(set(texts)) == 1), path.name)
    return points, Material(
        name,
        species,
        potential=joined(said for row in rows if (said := _said(row, "potential")) is not None) or None,
        vouched_for=unsaid,
        gate_version=joined(map(str, versions)) or None,
        other_gate_versions=count_others(versions),
    )


def _gate_versions(rows: Sequence[Mapping[str, Any]], path: Path) -> list[int]:
    """Return the gate versions that the rows state."""
    stated = [(number, _text(row, "gate_version")) for number, row in enumerate(rows, start=1)]
    return [_version(text, f"{path}, row {number}") for number, text in stated if text]


def _version(text: str, where: str) -> int:
    """Return a gate version; pandas writes 1.0 where some rows have none."""
    whole = text.removesuffix(".0")
    if not whole.isdecimal():
        raise InputError(f"{where}: gate_version {text[:SHOWN]!r} is not a whole number")
    return int(whole)


def _require_agreement(path: Path, name: str, values: Sequence[str], across: Sequence[str]) -> None:
    found = Counter(values)
    if len(found) > 1 and name not in across:
        told = ", ".join(f"{value[:SHOWN]}: {count}" for value, count in sorted(found.items()))
        raise InputError(f"{path}: its labels are of more than one {name} ({told}): keep one, or say --across {name}")
    if name in EXPECTED and found and set(found) != {EXPECTED[name]}:
        raise InputError(f"{path}: its {name} is {next(iter(found))}, and {EXPECTED[name]} is needed: convert it")


def _text(row: Mapping[str, Any], name: str) -> str:
    entry = row.get(name)
    return "" if entry is None or entry == "" else str(entry)


def _materials(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What the rows say they are of, by columns that say anything, in the order of `MATERIAL`."""
    columns = dict.fromkeys(column for row in rows for column in row)
    found: dict[str, list[str]] = {}
    for name in MATERIAL:
        for column in (one for one in columns if one.strip().casefold() == name):
            texts = [_text(row, column) for row in rows]
            if any(texts):
                found[name] = [*found.get(name, ()), *(map(_reduced, texts) if name in FORMULAS else texts)]
    return found


def _reduced(text: str) -> str:
    """A formula in its reduced form; what is none, as it is."""
    from pymatgen.core import Composition  # noqa: PLC0415 - slow to import

    try:
        return str(Composition(text).reduced_formula) if text else ""
    except (ValueError, OverflowError):
        return text


def _said(row: Mapping[str, Any], name: str) -> str | None:
    """What a row says of one part of its quantity, None where it does not."""
    if name != "start" or _text(row, "dataset"):
        return next((text for column in MUST_SAY[name] if (text := _text(row, column))), None)
    if not {"start", "method"} & row.keys():
        return None
    kinds = [_mapping(row.get("start")).get("kind"), (_mapping(row.get("method")).get("start") or {}).get("kind")]
    # Labels from before starts were recorded are told by the arm that asked for them.
    handed_over = StartKind.EQUILIBRATED.value in kinds or row.get("arm") == "reference"
    return "from another potential's run" if handed_over else "own"


def _mapping(entry: Any) -> Mapping[str, Any]:
    """A nested field of an exported label: as it is in JSON, as text in CSV."""
    try:
        found = json.loads(entry) if isinstance(entry, str) and entry else entry
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _rows(path: Path) -> list[Mapping[str, Any]]:
    from vitrion.ingest.formats.tables import table_rows  # noqa: PLC0415 - only where a file is read

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} cannot be read ({str(fault).splitlines()[0]}): give a CSV or JSON file") from fault
    try:
        if path.suffix.lower() == ".json":
            rows = json.loads(text)
        elif path.suffix.lower() == ".jsonl":
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            _, rows = table_rows(text)
    except ValueError as fault:
        raise InputError(f"{path} is no table ({str(fault).splitlines()[0]}): give CSV, JSON or JSON lines") from fault
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path} holds no rows: give a list of labels with {', '.join(NAMES)}")
    return rows
