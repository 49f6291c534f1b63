"""Labels to put an Arrhenius line through, of one quantity and one composition."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vitrion_models.errors import InputError
from vitrion_workflows.schemas import LabelState

if TYPE_CHECKING:
    from vitrion.database.queries.quantity import Quantity
    from vitrion.database.queries.rows import LabelRow
    from vitrion_workflows.arrhenius.fit import ArrheniusPoint

# Column of a file -> other names that exported labels have for it.
NAMES = {
    "temperature_K": ("T", "temperature"),
    "log10_D": ("log10_value",),
    "log10_stderr": ("stderr",),
    "censored": (),
}
TRUE, FALSE = frozenset({"1", "true", "yes"}), frozenset({"", "0", "false", "no", "none"})
# A gas diffuses with 0.1 cm2/s; what lies above is no logarithm of the D of a solid or a melt.
LARGEST_LOG10_D = -1.0
GRAMS_PER_U = 1.66053906660e-24
A3_PER_CM3 = 1e24


@dataclass(frozen=True)
class Material:
    """What the labels are of, as far as it is known.

    Attributes:
        name: for headings.
        species: mobile species.
        potential: what the forces came from, several joined by ``+``; None where a file does not say it.
        ions_per_A3: its number density, from formula and density.
        vouched_for: what a file does not say of its labels and the caller takes to be one.
        gate_version: gate version of the labels, several joined by ``+``; None where a file has no such column.
        other_gate_versions: how many of them are of other gate versions, by version.
        left_out: how many labels of other gate versions were left out, by version.
    """

    name: str
    species: str | None = None
    potential: str | None = None
    ions_per_A3: float | None = None
    vouched_for: tuple[str, ...] = ()
    gate_version: str | None = None
    other_gate_versions: Mapping[int, int] = field(default_factory=dict)
    left_out: Mapping[int, int] = field(default_factory=dict)


def joined(values: Iterable[str]) -> str:
    """Different values in one text."""
    return "+".join(sorted(set(values)))


def from_labels(
    rows: Sequence["LabelRow"],
    *,
    across: Sequence[str],
    stated_stderr: float | None,
    left_out: Mapping[int, int],
) -> tuple[list["ArrheniusPoint"], Material]:
    """Points of labels, refused where they are of several quantities, compositions or kinds of cell.

    Args:
        rows: accepted and censored labels.
        across: fields of `vitrion.database.queries.quantity.Quantity` in which they may differ.
        stated_stderr: decades, for labels that hold none.
        left_out: how many labels of other gate versions were left out, by version.

    Raises:
        InputError: nothing found, or a mixture, with the choices.
    """
    from vitrion.database.queries.gate_versions import count_others  # noqa: PLC0415 - the database is slow to import

    quantity = require_one_line(rows, across=across)
    points = [
        point_of(
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
        gate_version=joined(str(row.gate_version) for row in rows if row.gate_version is not None) or None,
        other_gate_versions=count_others(row.gate_version for row in rows),
        left_out=left_out,
    )


def require_one_line(rows: Sequence["LabelRow"], *, across: Sequence[str]) -> "Quantity":
    """The quantity that labels are values of, refused where they are of several, or of compositions or kinds of cell.

    Args:
        rows: labels.
        across: fields of `vitrion.database.queries.quantity.Quantity` in which they may differ.

    Raises:
        InputError: a mixture, with the choices.
    """
    from vitrion.database.queries.quantity import require_one  # noqa: PLC0415 - the database is slow to import

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


def point_of(row: Mapping[str, Any], where: str, stated_stderr: float | None) -> "ArrheniusPoint":
    """One point of a row, refused where it lacks something or was rejected.

    Args:
        row: what it says, by `NAMES`.
        where: of the row, for messages.
        stated_stderr: decades, where it holds none.

    Raises:
        InputError: no number, no error, or a value that is no logarithm.
    """
    from vitrion_workflows.arrhenius.fit import ArrheniusPoint  # noqa: PLC0415 - scipy is slow

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
    if entry is None:
        raise InputError(f"{where}: it has no {name}: rows need temperature_K, log10_D (D in cm2/s) and log10_stderr")
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
