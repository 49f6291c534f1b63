"""Artefact of a model that was named, or of the one in use."""

from typing import TYPE_CHECKING

from vitrion.keys import short_key
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from vitrion.database import Database


def artefact_in_use(db: "Database", sha256: str | None, *, kind: str) -> tuple[bytes, str]:
    """Return the artefact of a model and its name for messages.

    Args:
        db: where the models are.
        sha256: of the model, or its first digits; the last promoted one when None.
        kind: ``surrogate`` or ``generator``.

    Raises:
        InputError: no sha256 is given and no model is promoted.
        NotFoundError: there is no such model.
    """
    if sha256 is not None:
        model = db.models.get(sha256)
    else:
        promoted = db.models.search(kind=kind, promoted=True, sort="-created_at", limit=1)
        if not promoted:
            raise InputError(
                f"the database holds no promoted {kind}: run a campaign, or name a model with --model-folder"
            )
        model = promoted[0]
    return db.artefacts.get(model.artefact_sha256), f"model {short_key(model.artefact_sha256)}"
