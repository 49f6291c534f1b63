"""`vitrion predict`: log10 D of the structures in a file against temperature, by the surrogate in use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrion.cli.console import options as choose
from vitrion.cli.console.cells import read_cells
from vitrion.cli.console.output import emit, note
from vitrion.keys import short_key
from vitrion_models.errors import InputError
from vitrion_models.temperatures import parse_temperatures

if TYPE_CHECKING:
    from vitrion.answers.prediction import SurrogateInUse

COLUMNS = (
    "formula",
    "temperature_K",
    "log10_D",
    "lower_95",
    "upper_95",
    "corrected_log10_D",
    "corrected_lower_95",
    "corrected_upper_95",
    "model_error_by",
    "Ea_eV",
    "extrapolating",
    "reason",
)
Model = Annotated[str | None, typer.Option(help="sha256 of a surrogate in the database; default: the last promoted.")]
Folder = Annotated[Path | None, typer.Option("--model-folder", help="Folder or file of a surrogate, without database.")]


def command(
    file: Annotated[Path, typer.Argument(help="CIF, POSCAR, extended XYZ, ...: crystals or amorphous cells.")],
    *,
    temperature: choose.Temperatures,
    model: Model = None,
    model_folder: Folder = None,
    as_json: choose.Json = False,
) -> None:
    """Predict log10 D (D in cm2/s) of each structure in a file at each temperature.

    log10_D and its interval predict what the labelling potential would give; the corrected columns remove its mean bias
    and add its systematic uncertainty. They are empty for a model that does not state its potential; with
    --model-folder, labels of reference potentials do not enter them.

    A partially occupied structure is described by its composition. Predictions outside the training domain are flagged.
    """
    temperatures_K = parse_temperatures(temperature)
    structures = read_cells(file)
    from vitrion.answers.prediction import predict_structures  # noqa: PLC0415 - torch is slow to import

    in_use = _surrogate(model, model_folder)
    rows = predict_structures(in_use, structures, temperatures_K, file=str(file))
    emit(rows, as_json=as_json, columns=COLUMNS)
    if not as_json:
        surrogate, outdated = in_use.surrogate, in_use.outdated_training_labels
        # A surrogate of several fidelities learns from several potentials and predicts one.
        potential = in_use.model_errors.potential if in_use.model_errors else "a potential that is not stated"
        older = f" ({outdated} of other gate versions)" if outdated else ""
        model_name = f"{surrogate.architecture} {short_key(surrogate.artefact_sha256)}"
        note(f"{model_name}, trained on {len(surrogate.training_keys)} labels{older}, predicts {potential}")


def _surrogate(sha256: str | None, folder: Path | None) -> "SurrogateInUse":
    from vitrion.answers.prediction import surrogate_of_database, surrogate_of_folder  # noqa: PLC0415

    if folder is None:
        from vitrion.database import connect  # noqa: PLC0415 - only where no folder is given

        with connect(readonly=True) as db:
            return surrogate_of_database(db, sha256)
    if sha256 is not None:
        raise InputError("give either --model or --model-folder, not both")
    return surrogate_of_folder(folder)
