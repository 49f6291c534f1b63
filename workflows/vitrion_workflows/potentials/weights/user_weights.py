"""Weights that the user has downloaded and named: placed once, their sha256 written down, checked at each load.

The makers of these models publish files, and no checksums that we could carry. What is stored at installation is
therefore the sha256 of the user's own file, in the form that the program sha256sum reads; from then on another file in
its place is refused, and each label carries the hash of the file that made it.
"""

from dataclasses import dataclass
from pathlib import Path

from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.weights.identity import sha256_of, weights_folder

SHA256_DIGITS = 64


@dataclass(frozen=True)
class PlacedFile:
    """A file of weights under a name of the registry.

    Attributes:
        potential: registry name.
        suffix: of the file, with its dot.
        published: which file it is and who publishes it, for the advice.
    """

    potential: str
    suffix: str
    published: str

    @property
    def path(self) -> Path:
        """Where the file lies once it is installed."""
        return weights_folder() / f"{self.potential}{self.suffix}"

    @property
    def record(self) -> Path:
        """Where its sha256 is written down."""
        return self.path.with_name(f"{self.path.name}.sha256")

    @property
    def advice(self) -> str:
        """What to do where it is missing."""
        return f"download {self.published}, then: vitrion potentials install {self.potential} --file FILE"

    def write_record(self) -> str:
        """Write down the sha256 of the file that lies in its place, and give it."""
        digest = sha256_of(self.path)
        partial = self.record.with_name(f".{self.record.name}")
        partial.write_text(f"{digest}  {self.path.name}\n")
        partial.replace(self.record)
        return digest

    def require(self) -> str:
        """sha256 of the file, which is the one that was installed.

        Raises:
            MissingDependencyError: it is not installed.
            CheckpointError: it has been changed since, or its record is damaged.
        """
        if not self.path.is_file() or not self.record.is_file():
            raise MissingDependencyError(f"the weights of {self.potential} are not at {self.path}: {self.advice}")
        recorded = self.record.read_text().partition(" ")[0]
        if len(recorded) != SHA256_DIGITS:
            raise CheckpointError(f"{self.record} is damaged: {self.advice}")
        found = sha256_of(self.path)
        if found != recorded:
            raise CheckpointError(
                f"{self.path} has sha256 {found[:12]}..., installed was {recorded[:12]}...: {self.advice}"
            )
        return found

    def probe(self) -> Availability:
        """Whether the file is there and is the one that was installed."""
        try:
            digest = self.require()
        except (MissingDependencyError, CheckpointError) as error:
            return Availability(ok=False, reason=str(error))
        return Availability(ok=True, reason=f"{self.path}, sha256 {digest[:12]}...")
