"""Registry of the nouns of the command line; a noun is imported when it is typed."""

import importlib
import importlib.util
from dataclasses import dataclass

import typer
import typer.core
import typer.main

PACKAGE = "vitrion.cli"


@dataclass(frozen=True)
class Noun:
    """One word after `vitrion`.

    Attributes:
        module: name of its module inside `vitrion.cli`.
        help: one line for `vitrion --help`.
    """

    module: str
    help: str

    @property
    def path(self) -> str:
        """Full name of the module."""
        return f"{PACKAGE}.{self.module}"

    @property
    def is_present(self) -> bool:
        """Return True if this installation has the module, without importing it."""
        return importlib.util.find_spec(self.path) is not None


NOUNS: dict[str, Noun] = {
    "init": Noun("init", "Make the database and its indexes."),
    "doctor": Noun("doctor", "Check the installation: what can run, and what is missing for the rest."),
    "ingest": Noun("ingest", "Add files and public data sets to the database."),
    "structures": Noun("structures", "List, show and export structures."),
    "labels": Noun("labels", "List, show and export labels."),
    "models": Noun("models", "List and show trained models."),
    "candidates": Noun("candidates", "Propose compositions from the crystals of the database."),
    "amorphize": Noun("amorphize", "Make an amorphous cell by melt-quench."),
    "label": Noun("label", "Label a cell with a diffusivity by molecular dynamics."),
    "diffusivity": Noun("diffusivity", "Compute the diffusivity of an existing trajectory."),
    "arrhenius": Noun("arrhenius", "Fit an activation energy; predict diffusivity and conductivity from labels."),
    "predict": Noun("predict", "Predict log10 D of structures with the surrogate."),
    "generate": Noun("generate", "Draw amorphous cells from the generator."),
    "potentials": Noun("potentials", "List, install and check machine-learned potentials."),
    "campaign": Noun("campaign", "Run an active-learning campaign."),
    "worker": Noun("worker", "Run queued tasks in this process."),
    "schedule": Noun("schedule", "Step a campaign at fixed intervals."),
}


def load(name: str) -> typer.core.TyperCommand | typer.core.TyperGroup:
    """Import a noun's module and build its command.

    Args:
        name: a key of `NOUNS`.

    Raises:
        ImportError: the module, or something it imports, is absent.
        TypeError: the module exposes neither ``app`` nor ``command``.
    """
    module = importlib.import_module(NOUNS[name].path)
    if hasattr(module, "app"):
        built: typer.core.TyperCommand | typer.core.TyperGroup = typer.main.get_group(module.app)
    elif hasattr(module, "command"):
        single = typer.Typer(add_completion=False)
        single.command(name=name)(module.command)
        built = typer.main.get_command(single)  # type: ignore[assignment]
    else:
        raise TypeError(f"{module.__name__} exposes neither `app` nor `command`")
    built.name = name
    built.help = built.help or NOUNS[name].help
    return built
