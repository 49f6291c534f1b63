"""`vitrion predict`: log10 D of the structures in a file against temperature, by the surrogate in use."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from vitrion.cli.output import emit, note
from vitrion_models.errors import InputError
from vitrion_models.surrogates import Material, TrainedSurrogate

if TYPE_CHECKING:
    from vitrion.database import Database

COLUMNS = (
    "formula",
    "temperature_K",
    "log10_D",
    "lower_95",
    "upper_95",
    "model_error_decades",
    "Ea_eV",
    "extrapolating",
    "reason",
)
UNKNOWN = (None, None)
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

    A partially occupied structure is judged by its composition. What lies outside of the training labels is flagged.
    """
    from vitrion.ingest.reading import read_structures  # noqa: PLC0415 - pymatgen is slow to import

    temperatures = parse_temperatures(temperature, steps=steps)
    structures = read_structures(file)
    surrogate, errors = _surrogate(model, model_folder, [structure.composition for structure in structures])
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
            "temperature_K": float(answer.temperatures_K[row]),
            "log10_D": float(answer.mean[row]),
            "std": float(answer.std[row]),
            "model_error_decades": errors[row // count][0],
            "model_error_by": errors[row // count][1],
            "lower_95": float(answer.lower_95[row]),
            "upper_95": float(answer.upper_95[row]),
            "log10_D0": float(answer.log10_D0[row]),
            "Ea_eV": float(answer.Ea_eV[row]),
            "extrapolating": bool(answer.extrapolating[row]),
            "reason": answer.reasons[row],
            "model": surrogate.artefact_sha256,
        }
        for row in range(len(answer))
    ]
    emit(rows, as_json=as_json, columns=COLUMNS)
    if not as_json:
        note(f"{surrogate.architecture} {surrogate.artefact_sha256[:12]}, {len(surrogate.training_keys)} labels")


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


def _surrogate(
    sha256: str | None, folder: Path | None, compositions: Sequence[Any]
) -> tuple[TrainedSurrogate, list[tuple[float | None, str | None]]]:
    """The surrogate, and for each composition the error of the potential that it learned from, where one is known."""
    from vitrion_models import surrogates  # noqa: PLC0415 - slow to import

    if folder is not None:
        if sha256 is not None:
            raise InputError("give either --model or --model-folder, not both")
        return surrogates.load(folder), [UNKNOWN] * len(compositions)
    from vitrion.database import connect  # noqa: PLC0415 - only where no folder is given

    with connect(readonly=True) as db:
        if sha256 is not None:
            found = db.models.get(sha256)
        else:
            promoted = db.models.search(kind="surrogate", promoted=True, sort="-created_at", limit=1)
            if not promoted:
                raise InputError(
                    "the database holds no promoted surrogate: run a campaign, or name a model with --model-folder"
                )
            found = promoted[0]
        source = f"model {found.artefact_sha256[:12]}"
        surrogate = surrogates.loads(db.artefacts.get(found.artefact_sha256), source=source)
        return surrogate, _model_errors(db, surrogate, compositions)


def _model_errors(
    db: "Database", surrogate: TrainedSurrogate, compositions: Sequence[Any]
) -> list[tuple[float | None, str | None]]:
    from vitrion.database.comparison import model_error_decades  # noqa: PLC0415

    learned = db.labels.find(sorted(surrogate.training_keys))
    names = {label.potential for label in learned.values()}
    if len(names) != 1:
        return [UNKNOWN] * len(compositions)
    asked = ({element.symbol for element in one.elements} for one in compositions)
    return [model_error_decades(db, next(iter(names)), elements) or UNKNOWN for elements in asked]


def _material(structure: Any) -> Material:
    from vitrion_workflows.schemas.geometry import system_from_structure  # noqa: PLC0415

    if structure.is_ordered:
        return system_from_structure(structure)
    return {element.Z: float(amount) for element, amount in structure.composition.element_composition.items()}
