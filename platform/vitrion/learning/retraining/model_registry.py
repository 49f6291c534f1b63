"""The model shelf: trained models in and out of the database, as artefacts named by their content."""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vitrion.database import Database
from vitrion_models import generators, surrogates
from vitrion_models.generators import TrainedGenerator
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_models.training.promotion import PromotionDecision

ModelKind = Literal["surrogate", "generator"]


@dataclass(frozen=True)
class Lineage:
    """Where a model version comes from and what became of it."""

    campaign: str
    cycle: int
    seed: int
    wall_seconds: float
    parent: str | None
    decision: PromotionDecision


def keep_surrogate(
    db: Database, trained: TrainedSurrogate, *, lineage: Lineage, split: dict[str, Any], errors: dict[str, Any]
) -> str:
    """Store a surrogate and its document; returns the artefact's sha256.

    Args:
        db: where models are kept.
        trained: the surrogate.
        lineage: where it comes from.
        split: how its labels were divided.
        errors: statistical and model error of its labels, each apart.
    """
    sha256 = str(db.artefacts.put(trained.dumps(), name=f"surrogate-{lineage.campaign}-{lineage.cycle}.safetensors"))
    metrics = {name: entry.as_dict() for name, entry in trained.metrics.items()}
    keys = [key for key in trained.training_keys if not key.endswith(":twin")]
    _record(
        db,
        sha256,
        "surrogate",
        trained.architecture,
        lineage,
        metrics=metrics,
        training_label_keys=keys,
        split=split,
        errors=errors,
    )
    return sha256


def keep_generator(db: Database, trained: TrainedGenerator, *, lineage: Lineage, cells: Sequence[str]) -> str:
    """Store a generator and its document; returns the artefact's sha256."""
    sha256 = str(db.artefacts.put(trained.dumps(), name=f"generator-{lineage.campaign}-{lineage.cycle}.safetensors"))
    metrics = trained.metrics.model_dump(mode="json")
    _record(
        db, sha256, "generator", trained.config.architecture, lineage, metrics=metrics, training_structures=list(cells)
    )
    return sha256


def promoted_surrogate(
    db: Database, campaign: str, *, before_cycle: int | None = None
) -> tuple[str, TrainedSurrogate] | None:
    """The surrogate in force, with its sha256; with `before_cycle` the one that was in force when that cycle began."""
    row = db.models.promoted(campaign, "surrogate", before_cycle=before_cycle)
    if row is None:
        return None
    sha256 = row.artefact_sha256
    return sha256, surrogates.loads(db.artefacts.get(sha256), source=sha256)


def promoted_generator(
    db: Database, campaign: str, *, before_cycle: int | None = None
) -> tuple[str, TrainedGenerator] | None:
    """The generator in force, with its sha256; see `promoted_surrogate`."""
    row = db.models.promoted(campaign, "generator", before_cycle=before_cycle)
    if row is None:
        return None
    sha256 = row.artefact_sha256
    return sha256, generators.loads(db.artefacts.get(sha256), source=sha256)


def _record(db: Database, sha256: str, kind: ModelKind, architecture: str, lineage: Lineage, **fields: Any) -> None:
    db.models.add(
        sha256,
        kind=kind,
        architecture=architecture,
        parent=lineage.parent,
        promoted=lineage.decision.promote,
        promotion_reason=lineage.decision.reason,
        campaign=lineage.campaign,
        cycle=lineage.cycle,
        seed=lineage.seed,
        wall_seconds=lineage.wall_seconds,
        code_version=importlib.metadata.version("vitrion"),
        **fields,
    )
