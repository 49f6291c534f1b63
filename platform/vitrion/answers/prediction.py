"""Predictions of the surrogate in use, with the systematic error of the potential that it learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vitrion.answers.answer import Answer
from vitrion.answers.corrected import corrected_value
from vitrion.answers.model_artefact import artefact_in_use
from vitrion.database.queries.comparison import systematic_errors
from vitrion_models import surrogates
from vitrion_models.constants import Z_95
from vitrion_models.surrogates import Material, TrainedSurrogate
from vitrion_models.surrogates.multi_fidelity.model import MultiFidelitySurrogate
from vitrion_workflows.model_error.given_errors import GivenErrors, errors_of_method
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.model_error.observations import method_of
from vitrion_workflows.schemas.error_budget import ErrorBudget
from vitrion_workflows.schemas.geometry import system_from_structure

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure

    from vitrion.database import Database


@dataclass(frozen=True)
class SurrogateInUse:
    """Surrogate with what is recorded of its training labels.

    Attributes:
        surrogate: the model.
        model_errors: of the potential of its training labels; None where that is not stated.
        outdated_training_labels: number of training labels of other gate versions; None without a database.
    """

    surrogate: TrainedSurrogate
    model_errors: ModelErrors | None
    outdated_training_labels: int | None


class SurrogatePrediction(Answer):
    """log10 of D (cm2/s) of one structure at one temperature.

    `log10_D`, `std` and the interval predict what the labelling potential would give. The corrected columns remove the
    mean offset of that potential and add its systematic error; `errors` are the standard deviations of the corrected
    value by origin, the statistical one that of the surrogate. They are None where the potential is not stated.
    """

    file: str
    index: int
    formula: str
    species: str
    potential: str | None
    temperature_K: float
    log10_D: float
    std: float
    lower_95: float
    upper_95: float
    corrected_log10_D: float | None = None
    corrected_lower_95: float | None = None
    corrected_upper_95: float | None = None
    model_offset_decades: float | None = None
    model_error_decades: float | None = None
    model_error_by: str | None = None
    errors: ErrorBudget | None = None
    log10_D0: float
    Ea_eV: float
    extrapolating: bool
    reason: str
    model: str
    outdated_training_labels: int | None


def surrogate_of_database(db: "Database", sha256: str | None = None) -> SurrogateInUse:
    """Return the surrogate with this sha256, or the last promoted one when None."""
    content, source = artefact_in_use(db, sha256, kind="surrogate")
    surrogate = surrogates.loads(content, source=source)
    keys = sorted(surrogate.training_keys)
    methods = {(label.potential, label.weights_sha256) for label in db.labels.find(keys).values()}
    if isinstance(surrogate, MultiFidelitySurrogate):
        methods = {method for method in methods if method_of(*method) == surrogate.source}
    trained_at = db.models.get(surrogate.artefact_sha256).created_at
    errors = errors_of_method(surrogate.source, species=surrogate.species)
    if not isinstance(errors, GivenErrors):
        errors = systematic_errors(db, *methods.pop(), species=surrogate.species) if len(methods) == 1 else None
    return SurrogateInUse(
        surrogate,
        model_errors=errors,
        outdated_training_labels=db.labels.count_outdated(keys, trained_at=trained_at),
    )


def surrogate_of_folder(folder: Path) -> SurrogateInUse:
    """Return the surrogate stored in a folder; reference labels of a database do not enter its model errors."""
    surrogate = surrogates.load(folder)
    return SurrogateInUse(surrogate, errors_of_method(surrogate.source, species=surrogate.species), None)


def predict_structures(
    in_use: SurrogateInUse, structures: Sequence["Structure"], temperatures_K: Sequence[float], *, file: str
) -> tuple[SurrogatePrediction, ...]:
    """Return the prediction of each structure at each temperature, structure by structure.

    Args:
        in_use: the surrogate.
        structures: ordered ones are described by their atoms, others by their composition.
        temperatures_K: for each of them.
        file: where the structures come from.
    """
    surrogate, errors = in_use.surrogate, in_use.model_errors
    pairs = [(index, structure) for index, structure in enumerate(structures) for _ in temperatures_K]
    materials = [_material(structure) for structure in structures]
    prediction = surrogate.predict(
        [materials[index] for index, _ in pairs], np.tile(np.asarray(temperatures_K, dtype=float), len(structures))
    )
    rows = []
    for row, (index, structure) in enumerate(pairs):
        answer = SurrogatePrediction(
            file=file,
            index=index,
            formula=structure.composition.reduced_formula,
            species=surrogate.species,
            potential=errors.potential if errors else None,
            temperature_K=float(prediction.temperatures_K[row]),
            log10_D=float(prediction.mean[row]),
            std=float(prediction.std[row]),
            lower_95=float(prediction.lower_95[row]),
            upper_95=float(prediction.upper_95[row]),
            log10_D0=float(prediction.log10_D0[row]),
            Ea_eV=float(prediction.Ea_eV[row]),
            extrapolating=bool(prediction.extrapolating[row]),
            reason=prediction.reasons[row],
            model=surrogate.artefact_sha256,
            outdated_training_labels=in_use.outdated_training_labels,
        )
        rows.append(_corrected(answer, structure.composition, errors) if errors else answer)
    return tuple(rows)


def _corrected(answer: SurrogatePrediction, composition: "Composition", errors: ModelErrors) -> SurrogatePrediction:
    symbols = [element.symbol for element in composition.element_composition]
    error = errors.of_compound(composition.reduced_formula, symbols, temperature_K=answer.temperature_K)
    deviation = (answer.upper_95 - answer.lower_95) / 2 / Z_95
    corrected = corrected_value(error, answer.log10_D, deviation)
    return answer.model_copy(
        update={
            "corrected_log10_D": corrected.log10_D,
            "corrected_lower_95": corrected.interval_95[0],
            "corrected_upper_95": corrected.interval_95[1],
            "model_offset_decades": error.offset_decades,
            "model_error_decades": error.stderr_decades,
            "model_error_by": error.evidence,
            "errors": corrected.errors,
        }
    )


def _material(structure: "Structure") -> Material:
    if structure.is_ordered:
        return system_from_structure(structure)
    return {element.Z: float(amount) for element, amount in structure.composition.element_composition.items()}
