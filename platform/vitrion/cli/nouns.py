"""Nouns of the `vitrion` command, each imported when it is typed."""

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Annotated, Any

import typer
import typer.core
import typer.main

PACKAGE = "vitrion.cli"


@dataclass(frozen=True)
class Noun:
    """One word after `vitrion`."""

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
    "order": Noun("cells.order", "Make ordered cells of a disordered crystal."),
    "amorphize": Noun("cells.amorphize", "Make amorphous cells by melt-quench."),
    "label": Noun("label", "Label cells with diffusivities by molecular dynamics."),
    "diffusivity": Noun("diffusivity", "Compute the diffusivity of an existing trajectory."),
    "arrhenius": Noun("arrhenius", "Fit an activation energy; predict diffusivity and conductivity from labels."),
    "predict": Noun("predict", "Predict log10 D of structures with the surrogate."),
    "generate": Noun("cells.generate", "Draw amorphous cells from the generator."),
    "potentials": Noun("potentials", "List, install and check machine-learned potentials."),
    "campaign": Noun("campaigns.campaign", "Run an active-learning campaign."),
    "worker": Noun("campaigns.worker", "Run queued tasks in this process."),
    "schedule": Noun("campaigns.schedule", "Step a campaign at fixed intervals."),
}


def load(name: str) -> typer.core.TyperCommand | typer.core.TyperGroup:
    """Import a noun's module and build its command.

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
    for command in (built, *getattr(built, "commands", {}).values()):
        command.rich_markup_mode = None  # Rich takes longer to import than all the rest of a help page
    return built


class LazyGroup(typer.core.TyperGroup):
    """Group of all nouns that imports only the one that was typed."""

    def __init__(self, **attributes: Any) -> None:
        """Add an empty command with its help for each noun."""
        super().__init__(**attributes)
        for name, noun in NOUNS.items():
            if noun.is_present:
                self.add_command(typer.core.TyperCommand(name, callback=None, help=noun.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that was typed and return it in place of the empty one."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed, under the settings of this moment."""
        from vitrion.settings import Settings  # noqa: PLC0415 - pydantic; `vitrion --help` does without

        with Settings().exported():
            return super().invoke(ctx)


app = typer.Typer(cls=LazyGroup, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback signature
    if wanted:
        import vitrion  # noqa: PLC0415 - the version is looked up among the installed packages

        print(f"vitrion {vitrion.__version__}")  # noqa: T201 - the command line's own output
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Find amorphous ion conductors: structures, labels, surrogate, generator and active learning."""
    del version  # its callback has printed and exited
