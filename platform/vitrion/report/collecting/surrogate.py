"""Predictions of the promoted surrogate for the cells and labels of a campaign."""

from collections.abc import Mapping, Sequence

from vitrion.database import Database
from vitrion.database.records import ModelRecord, StructureRecord
from vitrion.keys import short_key
from vitrion.report import data
from vitrion_models import surrogates
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_workflows.schemas import LabelState, Origin

OWN_METRICS = "surrogate"


def promoted_surrogate(db: Database, campaign: str) -> tuple[ModelRecord, TrainedSurrogate] | None:
    """Return the promoted surrogate of a campaign with its record, or None before the first."""
    row = db.models.promoted(campaign, "surrogate")
    if row is None:
        return None
    return row, surrogates.loads(db.artefacts.get(row.artefact_sha256), source=short_key(row.artefact_sha256))


def predictions(
    db: Database, surrogate: TrainedSurrogate, cells: Mapping[str, StructureRecord], *, temperature_K: float
) -> tuple[data.Prediction, ...]:
    """Return the predictions for all accepted cells at one temperature."""
    accepted = [row for row in cells.values() if row.accepted]
    if not accepted:
        return ()
    prediction = surrogate.predict([db.structures.system(row.fingerprint) for row in accepted], temperature_K)
    return tuple(
        data.Prediction(
            fingerprint=row.fingerprint,
            formula=row.reduced_formula,
            origin=Origin(row.origin),
            log10_D=float(prediction.mean[place]),
            lower_95=float(prediction.lower_95[place]),
            upper_95=float(prediction.upper_95[place]),
            Ea_eV=float(prediction.Ea_eV[place]),
            extrapolating=bool(prediction.extrapolating[place]),
        )
        for place, row in enumerate(accepted)
    )


def parity(
    db: Database, surrogate: TrainedSurrogate, rows: Sequence[data.Label], logs: Mapping[str, float]
) -> tuple[data.ParityPoint, ...]:
    """Return the predictions for all accepted labels."""
    shown = [row for row in rows if row.state is LabelState.ACCEPTED and row.key in logs]
    if not shown:
        return ()
    systems = [db.structures.system(row.fingerprint) for row in shown]
    prediction = surrogate.predict(systems, [row.temperature_K for row in shown])
    held_out = set(surrogate.test_keys)
    return tuple(
        data.ParityPoint(
            formula=row.formula,
            temperature_K=row.temperature_K,
            measured=logs[row.key],
            measured_stderr=row.log10_stderr or 0.0,
            predicted=float(prediction.mean[place]),
            predicted_std=float(prediction.label_std[place]),
            lower_95=float(prediction.lower_95[place]),
            upper_95=float(prediction.upper_95[place]),
            held_out=row.key in held_out,
        )
        for place, row in enumerate(shown)
    )


def baselines(surrogate: TrainedSurrogate) -> tuple[data.Baseline, ...]:
    """Return the errors of the baseline models on the frozen test."""
    return tuple(
        data.Baseline(name=name.replace("_", " "), rmse=metrics.rmse, mae=metrics.mae)
        for name, metrics in surrogate.metrics.items()
        if name != OWN_METRICS
    )
