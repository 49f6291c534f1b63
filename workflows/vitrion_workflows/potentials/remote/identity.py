"""Comparison of the identity that a client reports with the one in its description."""

import json
from collections.abc import Mapping
from typing import Any

from vitrion_models.errors import CheckpointError
from vitrion_workflows.potentials.remote.description import CLIENT_PLACEHOLDER, RemoteIdentity

# Reported by a client with each answer. A reported value must agree, also where the description allows none.
IDENTIFYING = ("name", "version", "weights_sha256")


def require_identity(extra: bytes, identity: RemoteIdentity, *, unverified: bool) -> None:
    """Refuse a client that is another potential than described.

    Args:
        extra: extra string of the client's answer, JSON where it reports an identity.
        identity: the described one.
        unverified: accept a client that reports no identity, or a part of it.

    Raises:
        CheckpointError: a reported value differs, or one is missing although `unverified` is False.
    """
    reported = _reported(extra)
    described = {name: getattr(identity, name) for name in IDENTIFYING}
    if any(reported[name] != described[name] for name in reported):
        raise CheckpointError(
            f"remote potential {identity.name}: its client is {_format(reported)}, described is {_format(described)}: "
            "start the right client, or write the identity again"
        )
    if len(reported) < len(described) and not unverified:
        raise CheckpointError(
            f"remote potential {identity.name}: its client does not report its identity: start {CLIENT_PLACEHOLDER} or "
            "`vitrion potentials serve` there, or write unverified: true into the description"
        )


def _reported(extra: bytes) -> dict[str, Any]:
    try:
        content = json.loads(extra)
    except ValueError:
        return {}
    return {name: content[name] for name in IDENTIFYING if name in content} if isinstance(content, dict) else {}


def _format(identity: Mapping[str, Any]) -> str:
    words = [str(identity.get("name", "a potential"))]
    if "version" in identity:
        words.append(str(identity["version"]))
    if "weights_sha256" in identity:
        words.append(f"with weights {str(identity['weights_sha256'])[:12]}...")
    return " ".join(words)
