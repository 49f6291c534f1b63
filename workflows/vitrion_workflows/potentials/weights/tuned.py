"""Folder of a tuned potential: its weights and its card, written together by `vitrion potentials tune`."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrion_models.errors import CheckpointError, InputError, MissingDependencyError
from vitrion_workflows.potentials.weights.package import require_weights, weights_folder

WEIGHTS_FILE = "nep.txt"
CARD_FILE = "card.json"
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


def tuned_folder() -> Path:
    """Return the folder of all tuned potentials, in that of the user's weights."""
    return weights_folder() / "tuned"


@dataclass(frozen=True)
class TunedWeights:
    """Weights of one tuned potential.

    Attributes:
        name: given by the user; letters, digits, points, hyphens and underscores.
    """

    name: str

    def __post_init__(self) -> None:
        """Refuse a name that is no name of a folder.

        Raises:
            InputError: it holds other characters, or is empty.
        """
        if not re.fullmatch(NAME_PATTERN, self.name):
            raise InputError(
                f"{self.name!r} cannot name a tuned potential: give letters, digits, points, hyphens or underscores"
            )

    @property
    def folder(self) -> Path:
        """Return the folder of weights and card."""
        return tuned_folder() / self.name

    @property
    def path(self) -> Path:
        """Return the path of the weights."""
        return self.folder / WEIGHTS_FILE

    def require_absent(self) -> None:
        """Refuse a name that is taken.

        Raises:
            InputError: there is a tuned potential of this name.
        """
        if self.folder.exists():
            raise InputError(f"tuned:{self.name} exists already: choose another name, or remove {self.folder}")

    def require(self) -> dict[str, Any]:
        """Return the content of the card after comparing the sha256 in it with that of the weights.

        Raises:
            MissingDependencyError: there is no such tuned potential.
            CheckpointError: weights or card are damaged.
        """
        advice = "make it by `vitrion potentials tune`"
        card_path = self.folder / CARD_FILE
        if not card_path.is_file():
            raise MissingDependencyError(f"no tuned potential is called {self.name!r}: {advice}")
        try:
            card: dict[str, Any] = json.loads(card_path.read_text())
            digest = str(card["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{card_path} is damaged: remove {self.folder}, then {advice}") from error
        require_weights(self.path, sha256=digest, name=f"tuned:{self.name}", advice=advice)
        return card


def tuned_names() -> list[str]:
    """Return the names of all tuned potentials of the user, sorted."""
    cards = tuned_folder().glob(f"*/{CARD_FILE}")
    return sorted(path.parent.name for path in cards if re.fullmatch(NAME_PATTERN, path.parent.name))
