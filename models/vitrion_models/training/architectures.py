"""Trainers and checkpoints of the architectures of one kind of model, found by name."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from vitrion_models.bounds import LONGEST_NAME
from vitrion_models.errors import CheckpointError, first_line, printable
from vitrion_models.training import checkpoint


class StoredModel(Protocol):
    """A dataclass with the fields ``config`` and ``artefact_sha256``."""

    @property
    def architecture(self) -> str:
        """Name in the registry."""


Model = TypeVar("Model", bound=StoredModel)


@dataclass(frozen=True)
class Architectures(Generic[Model]):
    """Registry of one kind of model. Modules are imported when needed: torch takes seconds.

    The folder of an architecture holds `trainer` with ``train``, and `checkpoints` with ``VERSION``, ``UPGRADES``,
    ``describe(model) -> arrays, manifest`` and ``restore(arrays, manifest) -> model``. A manifest
    names the architecture in its configuration.

    Attributes:
        kind: ``surrogate`` or ``generator``.
        folders: package of each architecture, by name.
    """

    kind: str
    folders: Mapping[str, str]

    def trainer(self, architecture: str) -> Any:
        """Return the trainer module of an architecture."""
        return importlib.import_module(f"{self.folders[architecture]}.trainer")

    def identified(self, model: Any) -> Model:
        """Return a freshly trained model with the sha256 of its artefact."""
        identified: Model = replace(model, artefact_sha256=checkpoint.sha256_of(self.dumps(model)))
        return identified

    def dumps(self, model: Model) -> bytes:
        """Return the artefact of a model; equal models give equal bytes."""
        checkpoints = self._checkpoints(model.architecture)
        arrays, manifest = checkpoints.describe(model)
        return checkpoint.pack(arrays, manifest | {"kind": self.kind, "schema_version": checkpoints.VERSION})

    def save(self, model: Model, folder: Path) -> Path:
        """Write the artefact of a model and its manifest into a folder; return the path of the artefact."""
        return checkpoint.write(Path(folder), self.dumps(model))

    def loads(self, content: bytes, *, source: str = "the artefact") -> Model:
        """Return the model of an artefact of any version up to the present one.

        Args:
            content: bytes made by `dumps`.
            source: file or record they came from, for messages.

        Raises:
            CheckpointError: damaged, of another kind, of an unknown architecture or of a newer version.
        """
        arrays, manifest = checkpoint.unpack(content, source=source)
        if manifest.get("kind") != self.kind:
            raise CheckpointError(f"{source} holds a {manifest.get('kind')}, not a {self.kind}: name another model")
        config = manifest.get("config")
        name = str(config.get("architecture") if isinstance(config, dict) else None)
        if name not in self.folders:
            raise CheckpointError(f"{source} has the unknown architecture {name[:LONGEST_NAME]!r}: upgrade Vitrion")
        checkpoints = self._checkpoints(name)
        try:
            arrays, manifest = checkpoint.upgrade(
                arrays, manifest, version=checkpoints.VERSION, upgrades=checkpoints.UPGRADES, source=source
            )
            restored = checkpoints.restore(arrays, manifest)
        except (TypeError, ValueError, LookupError, AttributeError, RuntimeError) as error:
            reason = printable(first_line(error), longest=LONGEST_NAME)
            raise CheckpointError(
                f"{source}: the stored {self.kind} is incomplete or does not fit ({reason}): train it again"
            ) from error
        model: Model = replace(restored, artefact_sha256=checkpoint.sha256_of(content))
        return model

    def load(self, path: Path) -> Model:
        """Return the model in a folder, or in an artefact file.

        Raises:
            CheckpointError: no such file, or see `loads`.
        """
        return self.loads(checkpoint.read(Path(path)), source=str(path))

    def _checkpoints(self, architecture: str) -> Any:
        return importlib.import_module(f"{self.folders[architecture]}.checkpoints")
