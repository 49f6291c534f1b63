"""Model registry: trained models in and out of the database, as artefacts named by their content."""

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
    """Origin of a model version, and the decision on its promotion."""

    campaign: str
    cycle: int
    seed: int
    wall_seconds: float
    parent: str | None
    decision: PromotionDecision


def store_surrogate(
    db: Database, trained: TrainedSurrogate, *, lineage: Lineage, split: dict[str, Any], errors: dict[str, Any]
) -> str:
    """Store a surrogate and its document; return the sha256 of the artefact."""
    name = f"surrogate-{lineage.campaign}-{lineage.cycle}.safetensors"
    sha256 = str(db.artefacts.put(surrogates.dumps(trained), name=name))
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


def store_generator(db: Database, trained: TrainedGenerator, *, lineage: Lineage, cells: Sequence[str]) -> str:
    """Store a generator and its document; return the sha256 of the artefact."""
    name = f"generator-{lineage.campaign}-{lineage.cycle}.safetensors"
    sha256 = str(db.artefacts.put(generators.dumps(trained), name=name))
    metrics = trained.metrics.model_dump(mode="json")
    _record(
        db, sha256, "generator", trained.config.architecture, lineage, metrics=metrics, training_structures=list(cells)
    )
    return sha256


def promoted_surrogate(
    db: Database, campaign: str, *, before_cycle: int | None = None
) -> tuple[str, TrainedSurrogate] | None:
    """Return the promoted surrogate with its sha256, or None where there is none.

    Args:
        db: database of the campaign.
        campaign: its name.
        before_cycle: take the surrogate that was promoted when this cycle began.
    """
    row = db.models.promoted(campaign, "surrogate", before_cycle=before_cycle)
    if row is None:
        return None
    sha256 = row.artefact_sha256
    return sha256, surrogates.loads(db.artefacts.get(sha256), source=sha256)


def promoted_generator(
    db: Database, campaign: str, *, before_cycle: int | None = None
) -> tuple[str, TrainedGenerator] | None:
    """Return the promoted generator with its sha256, or None; see `promoted_surrogate`."""
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
