"""`vitrion predict`: log10 D of the structures in a file against temperature, by the surrogate in use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from vitrion.cli.console.output import emit, note
from vitrion_models.errors import InputError
from vitrion_models.surrogates import Material, TrainedSurrogate

if TYPE_CHECKING:
    from vitrion.database import Database
    from vitrion.database.queries.rows import LabelRow
    from vitrion_models.surrogates import Prediction
    from vitrion_workflows.model_error.compound_error import SystematicErrors

COLUMNS = (
    "formula",
    "temperature_K",
    "log10_D",
    "lower_95",
    "upper_95",
    "nature_log10_D",
    "nature_lower_95",
    "nature_upper_95",
    "model_error_by",
    "Ea_eV",
    "extrapolating",
    "reason",
)
NATURE = (
    "nature_log10_D",
    "nature_lower_95",
    "nature_upper_95",
    "model_offset_decades",
    "model_error_decades",
    "model_error_by",
)
TWO_SIDED_95 = 1.96
RANGE_ENDS = 2
MOST_STEPS = 10_000

Temperatures = Annotated[
    str,
    typer.Option("--temperature", "-t", help="In K: a range such as 300:1500, a list such as 300,1000, or one."),
]
Steps = Annotated[int, typer.Option(help="Temperatures in a range, both ends included.", min=2, max=MOST_STEPS)]
Model = Annotated[str | None, typer.Option(help="sha256 of a surrogate in the database; the last promoted by default.")]
Folder = Annotated[Path | None, typer.Option("--model-folder", help="Folder or file of a surrogate, no database then.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def command(
    file: Annotated[Path, typer.Argument(help="CIF, POSCAR, extended XYZ, ... : crystals or cold cells.")],
    *,
    temperature: Temperatures,
    steps: Steps = 13,
    model: Model = None,
    model_folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Ask the surrogate for log10 D (D in cm2/s) of each structure in a file at each temperature.

    log10_D and its interval are of the potential that made the labels: where a new label of it would lie. The nature_
    columns are of nature: that potential's mean offset taken off, its systematic error added to the interval. They are
    empty for a model that does not state its potential; without a database no referee's labels enter them.

    A partially occupied structure is judged by its composition. What lies outside of the training labels is flagged.
    """
    from vitrion.ingest.formats.reading import read_structures  # noqa: PLC0415 - pymatgen is slow to import

    temperatures = parse_temperatures(temperature, steps=steps)
    structures = read_structures(file)
    surrogate, known, outdated = _surrogate(model, model_folder)
    materials = [_material(structure) for structure in structures]
    count = len(temperatures)
    answer = surrogate.predict(
        [material for material in materials for _ in range(count)],
        np.tile(temperatures, len(materials)),
    )
    rows = [
        {
            "file": str(file),
            "index": row // count,
            "formula": structures[row // count].composition.reduced_formula,
            "species": surrogate.species,
            "potential": known.potential if known else None,
            "temperature_K": float(answer.temperatures_K[row]),
            "log10_D": float(answer.mean[row]),
            "std": float(answer.std[row]),
            "lower_95": float(answer.lower_95[row]),
            "upper_95": float(answer.upper_95[row]),
            **_of_nature(answer, row, structures[row // count].composition, known),
            "log10_D0": float(answer.log10_D0[row]),
            "Ea_eV": float(answer.Ea_eV[row]),
            "extrapolating": bool(answer.extrapolating[row]),
            "reason": answer.reasons[row],
            "model": surrogate.artefact_sha256,
            "outdated_training_labels": outdated,
        }
        for row in range(len(answer))
    ]
    emit(rows, as_json=as_json, columns=COLUMNS)
    if not as_json:
        by = f" by {known.potential}" if known else ", of a potential that it does not state"
        older = f", {outdated} of them of other gate versions" if outdated else ""
        learned = f"{len(surrogate.training_keys)} labels{by}{older}"
        note(f"{surrogate.architecture} {surrogate.artefact_sha256[:12]}, {learned}")


def parse_temperatures(text: str, *, steps: int) -> list[float]:
    """Temperatures in K of a range ``low:high``, a list ``a,b`` or a single number.

    Args:
        text: what was typed.
        steps: points of a range, evenly spaced, both ends included.

    Raises:
        InputError: it is none of these, or a range that does not rise.
    """
    try:
        if ":" not in text:
            return [float(part) for part in text.split(",")]
        ends = [float(part) for part in text.split(":")]
    except ValueError as error:
        raise InputError(f"temperature {text!r} is no number: give 300:1500, 300,1000 or 300") from error
    if len(ends) != RANGE_ENDS or not ends[0] < ends[1]:
        raise InputError(f"temperature {text!r} is no rising range: give for example 300:1500")
    return [float(value) for value in np.linspace(ends[0], ends[1], steps)]


def _of_nature(answer: "Prediction", row: int, composition: Any, known: "SystematicErrors | None") -> dict[str, Any]:
    """The same prediction with the potential's systematic error in it; Nones where the potential is not known."""
    if known is None:
        return dict.fromkeys(NATURE)
    symbols = [element.symbol for element in composition.element_composition]
    error = known.ask(composition.reduced_formula, symbols, temperature_K=float(answer.temperatures_K[row]))
    half = (answer.upper_95[row] - answer.lower_95[row]) / 2
    mean, deviation = error.corrected(float(answer.mean[row]), float(half) / TWO_SIDED_95)
    ends = (mean - TWO_SIDED_95 * deviation, mean + TWO_SIDED_95 * deviation)
    told = (mean, *ends, error.offset_decades, error.stderr_decades, error.evidence)
    return dict(zip(NATURE, told, strict=True))


def _surrogate(
    sha256: str | None, folder: Path | None
) -> tuple[TrainedSurrogate, "SystematicErrors | None", int | None]:
    """The surrogate, the systematic errors of the potential that it learned from, and its number of outdated labels.

    Either of the last two is None where it cannot be told.
    """
    from vitrion_models import surrogates  # noqa: PLC0415 - slow to import

    if folder is not None:
        if sha256 is not None:
            raise InputError("give either --model or --model-folder, not both")
        surrogate = surrogates.load(folder)
        return surrogate, _errors_of_source(surrogate), None
    from vitrion.cli.models import artefact_in_use  # noqa: PLC0415 - only where no folder is given
    from vitrion.database import connect  # noqa: PLC0415 - as above

    with connect(readonly=True) as db:
        content, source = artefact_in_use(db, sha256, kind="surrogate")
        surrogate = surrogates.loads(content, source=source)
        learned = list(db.labels.find(sorted(surrogate.training_keys)).values())
        trained_at = db.models.get(surrogate.artefact_sha256).created_at
        outdated = db.labels.count_outdated(sorted(surrogate.training_keys), trained_at=trained_at)
        return surrogate, _errors_of_labels(db, learned), outdated


def _errors_of_source(surrogate: TrainedSurrogate) -> "SystematicErrors | None":
    from vitrion_workflows.model_error.compound_error import SystematicErrors  # noqa: PLC0415

    return SystematicErrors.of_method(surrogate.source)


def _errors_of_labels(db: "Database", learned: list["LabelRow"]) -> "SystematicErrors | None":
    from vitrion.database.queries.comparison import systematic_errors  # noqa: PLC0415

    made = {(label.potential, label.weights_sha256) for label in learned}
    return systematic_errors(db, *made.pop()) if len(made) == 1 else None


def _material(structure: Any) -> Material:
    from vitrion_workflows.schemas.geometry import system_from_structure  # noqa: PLC0415

    if structure.is_ordered:
        return system_from_structure(structure)
    return {element.Z: float(amount) for element, amount in structure.composition.element_composition.items()}
