"""What the promoted surrogate says of the cells and of the labels."""

from collections.abc import Mapping, Sequence

from vitrion.database import Database
from vitrion.database.records import ModelRecord, StructureRecord
from vitrion.report import data
from vitrion_models import surrogates
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_workflows.schemas import LabelState, Origin

OWN_METRICS = "surrogate"


def surrogate_in_force(db: Database, campaign: str) -> tuple[ModelRecord, TrainedSurrogate] | None:
    """The promoted surrogate of a campaign with its document, or None before the first."""
    row = db.models.promoted(campaign, "surrogate")
    if row is None:
        return None
    return row, surrogates.loads(db.artefacts.get(row.artefact_sha256), source=row.artefact_sha256[:12])


def predictions(
    db: Database, surrogate: TrainedSurrogate, cells: Mapping[str, StructureRecord], *, temperature_K: float
) -> tuple[data.Prediction, ...]:
    """The surrogate's belief of every accepted cell at one temperature."""
    accepted = [row for row in cells.values() if row.accepted]
    if not accepted:
        return ()
    answer = surrogate.predict([db.structures.system(row.fingerprint) for row in accepted], temperature_K)
    return tuple(
        data.Prediction(
            fingerprint=row.fingerprint,
            formula=row.reduced_formula,
            origin=Origin(row.origin),
            log10_D=float(answer.mean[place]),
            lower_95=float(answer.lower_95[place]),
            upper_95=float(answer.upper_95[place]),
            Ea_eV=float(answer.Ea_eV[place]),
            extrapolating=bool(answer.extrapolating[place]),
        )
        for place, row in enumerate(accepted)
    )


def parity(
    db: Database, surrogate: TrainedSurrogate, rows: Sequence[data.LabelRow], logs: Mapping[str, float]
) -> tuple[data.ParityPoint, ...]:
    """The surrogate's answer to the question of every accepted label.

    Args:
        db: where the cells are.
        surrogate: the one in force.
        rows: labels of the campaign.
        logs: log10 D by label key.
    """
    shown = [row for row in rows if row.state is LabelState.ACCEPTED and row.key in logs]
    if not shown:
        return ()
    systems = [db.structures.system(row.fingerprint) for row in shown]
    answer = surrogate.predict(systems, [row.temperature_K for row in shown])
    held_out = set(surrogate.test_keys)
    return tuple(
        data.ParityPoint(
            formula=row.formula,
            temperature_K=row.temperature_K,
            measured=logs[row.key],
            measured_stderr=row.log10_stderr or 0.0,
            predicted=float(answer.mean[place]),
            predicted_std=float(answer.label_std[place]),
            lower_95=float(answer.lower_95[place]),
            upper_95=float(answer.upper_95[place]),
            held_out=row.key in held_out,
        )
        for place, row in enumerate(shown)
    )


def baselines(surrogate: TrainedSurrogate) -> tuple[data.Baseline, ...]:
    """Scores of the simple models on the same frozen test."""
    return tuple(
        data.Baseline(name=name.replace("_", " "), rmse=metrics.rmse, mae=metrics.mae)
        for name, metrics in surrogate.metrics.items()
        if name != OWN_METRICS
    )
