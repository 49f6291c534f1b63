"""Content of the report, read from the documents of a campaign."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from vitrion import __version__
from vitrion.database import Database
from vitrion.database.queries.gate_versions import count_others, is_current
from vitrion.database.records import CampaignRecord, CycleRecord, LabelRecord, ModelRecord
from vitrion.learning.plan import TUNED
from vitrion.report import data
from vitrion.report.collecting.cycles import costs, made_cells, report_cell, report_cycles
from vitrion.report.collecting.labels import labels_of, reference_pairs, report_labels, reported_errors
from vitrion.report.collecting.rdfs import compare_rdfs
from vitrion.report.collecting.surrogate import baselines, parity, predictions, promoted_surrogate
from vitrion_workflows.model_error.observations import method_of
from vitrion_workflows.schemas import MethodRecord
from vitrion_workflows.schemas.label import GATE_VERSION
from vitrion_workflows.tuning.card import Card

CLOSED = "closed"
DONE = "done"


def collect(db: Database, campaign: str) -> data.ReportData:
    """Return the content of the report of a campaign, finished or not.

    Labels of other gate versions are counted and left out, except from cycles and costs.

    Raises:
        NotFoundError: there is no such campaign.
    """
    row = db.campaigns.get(campaign)
    cycles = list(db.cycles.list(campaign))
    every, proposals = labels_of(db, cycles)
    stored = {key: label for key, label in every.items() if is_current(label.gate_version)}
    current = {key: proposal for key, proposal in proposals.items() if key in stored}
    cells = made_cells(db, campaign)
    models = list(db.models.search(campaign=campaign))
    labels = report_labels(stored, current, cells)
    target_K = float(row.configuration["labels"]["target_temperature_K"])
    surrogate = promoted_surrogate(db, campaign)
    logs = {key: label.log10_value for key, label in stored.items() if label.log10_value is not None}
    produced = [every[key] for key, proposal in proposals.items() if proposal["arm"] != "reference"]
    left_out = every.keys() - stored.keys()
    plan: Mapping[str, Any] = (row.summary or {}).get("plan", {})
    potential = plan.get("potential", row.configuration["potential"])
    trusted = surrogate[1] if surrogate and row.configuration.get("fidelities") else None
    if surrogate is not None and "weights_sha256" in plan:
        # Labels and errors on the page are those of the production potential; so are the predictions beside them.
        surrogate = surrogate[0], surrogate[1].of_source(method_of(potential, plan["weights_sha256"]))
    errors = reported_errors(db, stored.values(), cells.values(), potential, campaign=campaign, temperature_K=target_K)
    return data.ReportData(
        campaign=campaign,
        state=_state(row, cycles),
        species=row.configuration["species"],
        target_temperature_K=target_K,
        made=datetime.now(tz=UTC),
        potential=potential,
        potential_note=plan.get("potential_note", ""),
        acquisition=row.configuration["acquisition"]["function"],
        wall_seconds=_wall_seconds(row, cycles),
        cells=tuple(report_cell(cell) for cell in cells.values()),
        labels=labels,
        predictions=predictions(db, surrogate[1], cells, temperature_K=target_K) if surrogate else (),
        trusted_predictions=predictions(db, trusted, cells, temperature_K=target_K) if trusted else (),
        rdfs=compare_rdfs(db, cells, species=row.configuration["species"]),
        parity=parity(db, surrogate[1], labels, logs) if surrogate else (),
        # Stored for the complete frozen test: comparable only where none of it is left out here.
        baselines=baselines(surrogate[1]) if surrogate and not left_out & set(surrogate[1].test_keys) else (),
        other_gate_versions=count_others(label.gate_version for label in every.values()),
        outdated_training_labels=(
            db.labels.count_outdated(sorted(surrogate[1].training_keys), trained_at=surrogate[0].created_at)
            if surrogate
            else 0
        ),
        cycles=report_cycles(cycles, models, cells),
        costs=costs(cycles, models),
        reference_pairs=reference_pairs(stored, current),
        model_errors=errors.by_formula,
        label_errors=errors.by_label,
        model_covariances=errors.covariances,
        provenance=_provenance(db, row, produced, models),
        configuration=row.configuration,
    )


def _state(row: CampaignRecord, cycles: Sequence[CycleRecord]) -> str:
    closed = sum(cycle.state == CLOSED for cycle in cycles)
    wanted = row.configuration
    if (row.summary or {}).get("plan", {}).get("potential_note") and wanted.get("smaller"):
        wanted = wanted["smaller"]  # runs without the configured potential
    if closed >= int(wanted["cycles"]):
        return DONE
    return f"{closed} of {wanted['cycles']} cycles closed"


def _wall_seconds(row: CampaignRecord, cycles: Sequence[CycleRecord]) -> float | None:
    ends = [cycle.closed_at for cycle in cycles if cycle.closed_at is not None]
    if not ends or row.created_at is None:
        return None
    return (max(ends) - row.created_at).total_seconds()


def _provenance(
    db: Database, row: CampaignRecord, labels: Sequence[LabelRecord], models: Sequence[ModelRecord]
) -> tuple[tuple[str, str], ...]:
    lines = [("configuration sha256", row.config_hash), ("seed", str(row.configuration["seed"]))]
    lines.append(("gate version", str(GATE_VERSION)))
    for label in {(label.potential, label.potential_version, label.weights_sha256): label for label in labels}.values():
        weights = f"{label.potential} {label.potential_version or ''}, weights sha256 {label.weights_sha256}"
        lines.append(("potential", weights))
        if label.method is not None:
            lines.append(("molecular dynamics", _dynamics(label.method)))
    if card := (row.summary or {}).get(TUNED):
        lines += [("tuned potential", text) for text in Card.model_validate(card).lines()]
    for kind in ("surrogate", "generator"):
        promoted = [model for model in models if model.kind == kind and model.promoted]
        if promoted:
            best = promoted[-1]
            lines.append((kind, f"{best.architecture}, sha256 {best.artefact_sha256}"))
    versions = {"vitrion": __version__, "python": platform.python_version()}
    lines.append(("software", ", ".join(f"{name} {number}" for name, number in versions.items())))
    lines.append(("database", "embedded" if db.embedded else "MongoDB server"))
    return tuple(lines)


def _dynamics(method: MethodRecord) -> str:
    step, frame = method.time_step_fs, method.frame_interval_ps
    return f"{method.engine}, {method.thermostat}, {step} fs a step, {frame} ps a frame"
