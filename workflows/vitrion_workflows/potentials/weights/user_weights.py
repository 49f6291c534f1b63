"""Weights that the user downloads: installed once with their sha256 recorded, checked at each load.

The makers of these models publish files without checksums. At installation the sha256 of the user's own file is
recorded, in the format of the program sha256sum; from then on another file in its place is refused, and each label
carries the hash of the file that made it.
"""

from dataclasses import dataclass
from pathlib import Path

from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.weights.package import sha256_of, weights_folder

SHA256_DIGITS = 64


@dataclass(frozen=True)
class UserWeights:
    """The file of weights of one potential.

    Attributes:
        potential: registry name.
        suffix: suffix of the file, with its dot.
        published: name of the published file and of its publisher, for the advice.
    """

    potential: str
    suffix: str
    published: str

    @property
    def path(self) -> Path:
        """Return the path of the installed file."""
        return weights_folder() / f"{self.potential}{self.suffix}"

    @property
    def record(self) -> Path:
        """Return the path of the file that records its sha256."""
        return self.path.with_name(f"{self.path.name}.sha256")

    @property
    def advice(self) -> str:
        """Return what to do if the file is missing."""
        return f"download {self.published}, then: vitrion potentials install {self.potential} --file FILE"

    def write_record(self) -> str:
        """Record the sha256 of the installed file, and return it."""
        digest = sha256_of(self.path)
        partial = self.record.with_name(f".{self.record.name}")
        partial.write_text(f"{digest}  {self.path.name}\n")
        partial.replace(self.record)
        return digest

    def require(self) -> str:
        """Return the sha256 of the file after comparing it with the recorded one.

        Raises:
            MissingDependencyError: it is not installed.
            CheckpointError: it has changed since, or its record is damaged.
        """
        if not self.path.is_file() or not self.record.is_file():
            raise MissingDependencyError(f"the weights of {self.potential} are not at {self.path}: {self.advice}")
        recorded = self.record.read_text().partition(" ")[0]
        if len(recorded) != SHA256_DIGITS:
            raise CheckpointError(f"{self.record} is damaged: {self.advice}")
        digest = sha256_of(self.path)
        if digest != recorded:
            raise CheckpointError(
                f"{self.path} has sha256 {digest[:12]}..., installed was {recorded[:12]}...: {self.advice}"
            )
        return digest

    def probe(self) -> Availability:
        """Check that the file is the one that was installed."""
        try:
            digest = self.require()
        except (MissingDependencyError, CheckpointError) as error:
            return Availability(ok=False, reason=str(error))
        return Availability(ok=True, reason=f"{self.path}, sha256 {digest[:12]}...")
