"""A trained model as a file: safetensors with its manifest inside, and a readable copy of the manifest beside it.

One file is one artefact: its sha256 is the model's identity, whether it lies in a folder or in a database's store.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrion_models.bounds import LARGEST_MODEL_BYTES, parse_json
from vitrion_models.errors import CheckpointError
from vitrion_models.files import whole_file

Arrays: TypeAlias = dict[str, NDArray[Any]]
Manifest: TypeAlias = dict[str, Any]
Upgrade: TypeAlias = Callable[[Arrays, Manifest], tuple[Arrays, Manifest]]

ARTEFACT_FILE = "model.safetensors"
MANIFEST_FILE = "model.json"
MANIFEST_ENTRY = "manifest"
DIGEST_KEY = "content_sha256"  # in the manifest, over everything else: safetensors has no checksum of its own
LENGTH_BYTES = 8


def pack(arrays: Mapping[str, NDArray[Any]], manifest: Mapping[str, Any]) -> bytes:
    """Return the bytes of an artefact; equal arrays and manifests give equal bytes.

    Args:
        arrays: named tensors.
        manifest: JSON values without NaN; keys are sorted.
    """
    from safetensors.numpy import save  # noqa: PLC0415 - keeps the import of the package light

    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    text = _text({**manifest, DIGEST_KEY: _digest(ordered, _text(manifest))})
    packed: bytes = save(ordered, metadata={MANIFEST_ENTRY: text})
    return packed


def unpack(content: bytes, *, source: str) -> tuple[Arrays, Manifest]:
    """Return the arrays and the manifest of an artefact.

    Args:
        content: bytes made by `pack`.
        source: file or record they came from, for messages.

    Raises:
        CheckpointError: the bytes are damaged or not an artefact of Vitrion.
    """
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.numpy import load  # noqa: PLC0415

    try:
        arrays: Arrays = load(content)
        length = int.from_bytes(content[:LENGTH_BYTES], "little")
        header = parse_json(content[LENGTH_BYTES : LENGTH_BYTES + length].decode())
        manifest: Manifest = parse_json(header["__metadata__"][MANIFEST_ENTRY])
        digest = manifest.pop(DIGEST_KEY)
        is_whole = _digest(arrays, _text(manifest)) == digest
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{source} is damaged or not a model of Vitrion ({type(error).__name__}): train it again"
        ) from error
    if not is_whole:
        raise CheckpointError(f"{source} is damaged (sha256 differs from the stored one): train it again")
    return arrays, manifest


def write(folder: Path, content: bytes) -> Path:
    """Write an artefact and its manifest into a folder, each file whole or not at all.

    Args:
        folder: created if absent.
        content: bytes made by `pack`.

    Returns:
        Path of the artefact.
    """
    _, manifest = unpack(content, source=str(folder))
    with whole_file(folder / ARTEFACT_FILE) as partial:
        partial.write_bytes(content)
    with whole_file(folder / MANIFEST_FILE) as partial:
        partial.write_text(json.dumps(manifest, sort_keys=True, indent=1) + "\n")
    return folder / ARTEFACT_FILE


def read(path: Path) -> bytes:
    """Return the bytes of the artefact in a folder, or of the file itself.

    Raises:
        CheckpointError: no such file.
    """
    file = path / ARTEFACT_FILE if path.is_dir() else path
    try:
        if file.exists() and not file.is_file():
            raise CheckpointError(f"{file}: this is no regular file: give a model's folder or file")
        if file.stat().st_size > LARGEST_MODEL_BYTES:
            raise CheckpointError(f"{file} is larger than {LARGEST_MODEL_BYTES >> 20} MiB: this is no model of Vitrion")
        return file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{file}: cannot read a model ({error.strerror})") from error


def upgrade(
    arrays: Arrays, manifest: Manifest, *, version: int, upgrades: Mapping[int, Upgrade], source: str
) -> tuple[Arrays, Manifest]:
    """Bring a stored model to the present layout, one version after another.

    Args:
        arrays: of the stored model.
        manifest: of the stored model; its `schema_version` says where to begin.
        version: present version of the architecture's layout.
        upgrades: function that leads from each version to the next.
        source: file or record they came from, for messages.

    Raises:
        CheckpointError: the model is of a newer version, or incomplete.
    """
    stored = int(manifest.get("schema_version", 1))
    if stored > version:
        raise CheckpointError(f"{source} has schema version {stored}, newer than {version}: upgrade Vitrion")
    try:
        for step in range(stored, version):
            arrays, manifest = upgrades[step](arrays, manifest)
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{source} is incomplete ({error!s:.80}): train the model again") from error
    return arrays, {**manifest, "schema_version": version}


def sha256_of(content: bytes) -> str:
    """Return the sha256 of an artefact: its identity."""
    return hashlib.sha256(content).hexdigest()


def _text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _digest(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    content = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        content.update(f"{name} {array.dtype} {array.shape}".encode())
        content.update(array.tobytes())
    return content.hexdigest()
