"""Labels to put an Arrhenius line through, from a file or from the database, of one quantity and one composition."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrion_models.errors import InputError
from vitrion_workflows.schemas import Convention, LabelState
from vitrion_workflows.schemas.start import StartKind

if TYPE_CHECKING:
    from vitrion.database import LabelRow, Quantity
    from vitrion_workflows.transport import ArrheniusPoint

# Column of a file -> other names that exported labels have for it.
NAMES = {
    "temperature_K": ("T", "temperature"),
    "log10_D": ("log10_value",),
    "log10_stderr": ("stderr",),
    "censored": (),
}
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
TRUE, FALSE = frozenset({"1", "true", "yes"}), frozenset({"", "0", "false", "no", "none"})
# A gas diffuses with 0.1 cm2/s; what lies above is no logarithm of the D of a solid or a melt.
LARGEST_LOG10_D = -1.0
GRAMS_PER_U = 1.66053906660e-24
A3_PER_CM3 = 1e24
SHOWN = 40  # characters of a value in a message


@dataclass(frozen=True)
class Material:
    """What the labels are of, as far as it is known.

    Attributes:
        name: for headings.
        species: mobile species.
        potential: what the forces came from, several joined by ``+``; None where a file does not say it.
        ions_per_A3: its number density, from formula and density.
        vouched_for: what a file does not say of its labels and the caller takes to be one.
        rules: version of the rules that judged them (`vitrion.database.rules`), several joined by ``+``; None where a
            file does not say it.
        of_other_rules: how many of them other rules than those of here judged, by rules.
        left_out: how many more labels there are, which those rules judged, by rules.
    """

    name: str
    species: str | None = None
    potential: str | None = None
    ions_per_A3: float | None = None
    vouched_for: tuple[str, ...] = ()
    rules: str | None = None
    of_other_rules: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


def from_file(
    path: Path, *, stated_stderr: float | None, across: Sequence[str] = (), one_source: bool = False
) -> tuple[list["ArrheniusPoint"], Material]:
    """Points of a CSV, JSON or JSON-lines file.

    Args:
        path: columns temperature_K, log10_D (cm2/s), log10_stderr and, if any, censored; exported labels will do.
        stated_stderr: decades, for rows that hold none.
        across: what of `MUST_SAY`, `MUST_AGREE` and `MATERIAL` the rows may differ in, or ``rules``.
        one_source: the caller's word that what the rows do not say is the same in all of them, and that their D is
            the Einstein value in cm2/s.

    Raises:
        InputError: no such file, columns or numbers, rows of different quantities, or rows that do not say of which
            quantity they are while nobody vouches for them.
    """
    from vitrion.database import rules  # noqa: PLC0415 - the database is slow to import

    rows = _rows(path)
    known = (*MUST_SAY, *MUST_AGREE, *MATERIAL, "rules")
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
    judged = _judgements(rows, path)
    _require_agreement(path, "rules", [rules.rules_of(entry) for entry in judged], across)
    if unsaid and not one_source:
        raise InputError(
            f"{path} does not say {', '.join(unsaid)} of each of its labels, which may be of several: add the columns, "
            "or vouch by --one-source that all rows are of one potential, protocol and start, as Einstein values"
        )
    points = [_point(row, f"{path}, row {number}", stated_stderr) for number, row in enumerate(rows, start=1)]
    species = rows[0].get("species") or None
    name = next((texts[0] for texts in materials.values() if len(set(texts)) == 1), path.name)
    return points, Material(
        name,
        species,
        potential=_joined(said for row in rows if (said := _said(row, "potential")) is not None) or None,
        vouched_for=unsaid,
        rules=_joined(map(rules.rules_of, judged)) or None,
        of_other_rules=rules.others(judged),
    )


def _joined(values: Iterable[str]) -> str:
    return "+".join(sorted(set(values)))


def _judgements(rows: Sequence[Mapping[str, Any]], path: Path) -> list[Mapping[str, Any]]:
    """What `vitrion.database.rules` asks of each row; nothing where the file does not say who judged its labels."""
    if not any("rules" in row for row in rows):
        return []
    found: list[Mapping[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        text = _text(row, "rules")
        version = _version(text, f"{path}, row {number}") if text else None
        found.append({"rules": version, "dataset": _text(row, "dataset") or None})
    return found


def _version(text: str, where: str) -> int:
    """A version of the label rules; 5.0 is one too, which pandas writes where some rows have none."""
    whole = text.removesuffix(".0")
    if not whole.isdecimal():
        raise InputError(f"{where}: rules is {text[:SHOWN]!r}, which is no version of the label rules")
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
    handed_over = StartKind.EQUILIBRATED.value in kinds or row.get("arm") == "referee"
    return "from another potential's run" if handed_over else "own"


def _mapping(entry: Any) -> Mapping[str, Any]:
    """A nested field of an exported label: as it is in JSON, as text in CSV."""
    try:
        found = json.loads(entry) if isinstance(entry, str) and entry else entry
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def from_labels(
    rows: Sequence["LabelRow"],
    *,
    across: Sequence[str],
    stated_stderr: float | None,
    left_out: Mapping[str, int],
) -> tuple[list["ArrheniusPoint"], Material]:
    """Points of labels, refused where they are of several quantities, compositions or kinds of cell.

    Args:
        rows: accepted and censored labels.
        across: fields of `vitrion.database.quantity.Quantity` in which they may differ.
        stated_stderr: decades, for labels that hold none.
        left_out: how many more there are that other rules judged, by rules.

    Raises:
        InputError: nothing found, or a mixture, with the choices.
    """
    from vitrion.database import rules  # noqa: PLC0415 - the database is slow to import

    quantity = require_one_line(rows, across=across)
    points = [
        _point(
            {
                "temperature_K": row.temperature_K,
                "log10_D": row.log10_value,
                "log10_stderr": row.log10_stderr,
                "censored": row.state == LabelState.CENSORED,
            },
            f"label {row.key[:12]}",
            stated_stderr,
        )
        for row in rows
    ]
    return points, Material(
        rows[0].reduced_formula,
        rows[0].species,
        potential=quantity.potential,
        ions_per_A3=_density(rows),
        rules=_joined(map(rules.rules_of, rows)),
        of_other_rules=rules.others(rows),
        left_out=left_out,
    )


def require_one_line(rows: Sequence["LabelRow"], *, across: Sequence[str]) -> "Quantity":
    """The quantity that labels are values of, refused where they are of several, or of compositions or kinds of cell.

    Args:
        rows: labels.
        across: fields of `vitrion.database.quantity.Quantity` in which they may differ.

    Raises:
        InputError: a mixture, with the choices.
    """
    from vitrion.database import require_one  # noqa: PLC0415 - the database is slow to import

    quantity = require_one(rows, across=across, purpose="fitted")
    for name, option in (("reduced_formula", "--reduced-formula"), ("kind", "--kind")):
        found = Counter(str(getattr(row, name)) for row in rows)
        if len(found) > 1:
            told = ", ".join(f"{value}: {count}" for value, count in sorted(found.items()))
            raise InputError(
                f"{len(rows)} labels to be fitted are of more than one {name} ({told}): choose by {option}"
            )
    return quantity


def _density(rows: Sequence["LabelRow"]) -> float | None:
    """Mobile ions in a cubic Angstrom, mean over the labels; None where one has no density."""
    from pymatgen.core import Composition  # noqa: PLC0415 - slow to import

    composition = Composition(rows[0].reduced_formula)
    densities = [row.density_g_cm3 for row in rows if row.density_g_cm3]
    if len(densities) < len(rows):
        return None
    grams = float(composition.weight) * GRAMS_PER_U
    return float(composition[rows[0].species]) * sum(densities) / len(densities) / grams / A3_PER_CM3


def _rows(path: Path) -> list[Mapping[str, Any]]:
    from vitrion.ingest.tables import table_rows  # noqa: PLC0415 - only where a file is read

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


def _point(row: Mapping[str, Any], where: str, stated_stderr: float | None) -> "ArrheniusPoint":
    from vitrion_workflows.transport import ArrheniusPoint  # noqa: PLC0415 - scipy is slow

    if row.get("state") == LabelState.REJECTED:
        raise InputError(f"{where} was rejected by its gates: leave it out")
    censored = row.get("state") == LabelState.CENSORED or _truth(_entry(row, "censored"), where)
    stderr = _number(row, "log10_stderr", where) if _entry(row, "log10_stderr") not in (None, "") else stated_stderr
    if stderr is None and not censored:
        raise InputError(f"{where} states no standard error of log10 D: add it, or state one with --stderr")
    value = _number(row, "log10_D", where)
    if value > LARGEST_LOG10_D:
        raise InputError(f"{where}: log10_D is {value:g}: give the decimal logarithm of D in cm2/s, not D itself")
    return ArrheniusPoint(
        temperature_K=_number(row, "temperature_K", where),
        log10_D=value,
        log10_stderr=math.inf if stderr is None else stderr,
        censored=censored,
    )


def _entry(row: Mapping[str, Any], name: str) -> Any:
    for key in (name, *NAMES[name]):
        if key in row:
            return row[key]
    return None


def _number(row: Mapping[str, Any], name: str, where: str) -> float:
    entry = _entry(row, name)
    try:
        return float(entry)
    except (TypeError, ValueError):
        raise InputError(f"{where}: {name} is {entry!r}, which is no number") from None


def _truth(entry: Any, where: str) -> bool:
    text = str(entry).strip().lower()
    if text in TRUE:
        return True
    if entry is None or text in FALSE:
        return False
    raise InputError(f"{where}: censored is {entry!r}: say true or false")
