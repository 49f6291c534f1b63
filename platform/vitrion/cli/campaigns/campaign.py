"""`vitrion campaign`: run, step, retry and report an active-learning campaign."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrion.cli.console.output import emit, note
from vitrion.cli.console.signals import exit_code

if TYPE_CHECKING:
    from vitrion.database import Database
    from vitrion.learning.campaign import Campaign
    from vitrion.learning.configuration import CampaignConfiguration

app = typer.Typer(no_args_is_help=True, help="Run, step, retry and report an active-learning campaign.")

FileArgument = Annotated[Path, typer.Argument(help="The campaign's YAML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
ReportOption = Annotated[Path, typer.Option("--output", "-o", help="File of the HTML page.")]
OutdatedOption = Annotated[
    bool,
    typer.Option("--outdated", help="Also recompute labels of an older gate version."),
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="Instead of `runner.device`: auto, cpu, cuda or cuda:1.")
]
DEFAULT_REPORT = Path("report.html")


@app.command()
def run(
    file: FileArgument, *, device: DeviceOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """Run all cycles, then write the report; run again to continue after an interruption."""
    with opened(file, quiet=quiet, device=device) as campaign:
        campaign.run()
        page = _write_report(campaign, DEFAULT_REPORT)
        _show(campaign.db, campaign.configuration, as_json=as_json, report=str(page))


@app.command()
def step(
    file: FileArgument, *, device: DeviceOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """Run the next step of the current cycle."""
    with opened(file, quiet=quiet, device=device) as campaign:
        more = campaign.step()
        _show(campaign.db, campaign.configuration, as_json=as_json, more_to_do=more)


@app.command()
def retry(file: FileArgument, *, outdated: OutdatedOption = False, as_json: JsonOption = False) -> None:
    """Queue failed proposals again, also those of closed cycles; `run` or `step` then computes them.

    Labels that the gates rejected are results and are not repeated. Labels that come late to a finished campaign enter
    the training when `cycles` is raised.
    """
    with opened(file, quiet=True, begun=True) as campaign:
        retried = [entry.title for entry in campaign.retry(outdated=outdated)]
        emit({"campaign": campaign.configuration.name, "retried": retried}, as_json=as_json)


@app.command()
def status(file: FileArgument, *, as_json: JsonOption = False) -> None:
    """Show the status of a campaign, also while it runs."""
    from vitrion.database import connect  # noqa: PLC0415 - `--help` does without
    from vitrion.learning.configuration import load_configuration  # noqa: PLC0415

    configuration = load_configuration(file)
    with connect(readonly=True) as db:
        _show(db, configuration, as_json=as_json)


@app.command()
def report(file: FileArgument, *, output: ReportOption = DEFAULT_REPORT, as_json: JsonOption = False) -> None:
    """Write the report of the results so far."""
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.learning.configuration import load_configuration  # noqa: PLC0415
    from vitrion.report import build  # noqa: PLC0415

    configuration = load_configuration(file)
    with connect(readonly=True) as db:
        emit({"report": str(build(db, configuration.name, output))}, as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON schema of a campaign file."""
    from vitrion.learning.configuration import CampaignConfiguration  # noqa: PLC0415

    json.dump(CampaignConfiguration.model_json_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")


@contextmanager
def opened(file: Path, *, quiet: bool, begun: bool = False, device: str | None = None) -> "Iterator[Campaign]":
    """Open the campaign of a file in the configured database, with a live display and a clean stop on Ctrl-C.

    Args:
        file: the campaign's YAML file.
        quiet: show nothing.
        begun: refuse a campaign that is not in the database yet, instead of creating it.
        device: on which jobs run, instead of the one in the file.

    Raises:
        typer.Exit: Ctrl-C or SIGTERM, after the workers' checkpoints.
    """
    from vitrion.learning.configuration import load_configuration  # noqa: PLC0415

    configuration = load_configuration(file)
    if device is not None:
        configuration = configuration.on_device(device)

    # The loop is slow to import: a faulty file is refused before.
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.database.database import make_folder  # noqa: PLC0415
    from vitrion.learning.campaign import Campaign, StoppedEarlyError  # noqa: PLC0415
    from vitrion.running.display import Display  # noqa: PLC0415
    from vitrion.running.runners import make_runner  # noqa: PLC0415
    from vitrion.settings import Settings  # noqa: PLC0415

    settings = Settings()
    scratch = settings.scratch
    make_folder(scratch)
    stop = _Stop()
    with connect() as db, Display(scratch=scratch, quiet=quiet) as display, stop.listening():
        if begun:
            db.campaigns.get(configuration.name)
        runner = make_runner(configuration.runner, db=db, uri=settings.database_uri, scratch=scratch)
        campaign = Campaign(db, configuration, runner, display, scratch, stop)
        try:
            _announce(campaign)
            yield campaign
        except StoppedEarlyError as stopped:
            note(str(stopped))
            raise typer.Exit(exit_code(stop.received)) from stopped
        finally:
            runner.close()


def _announce(campaign: "Campaign") -> None:
    from vitrion.learning.plan import potential_note  # noqa: PLC0415

    plan = campaign.plan
    campaign.display.say(
        f"campaign {campaign.configuration.name}: {len(plan.crystals)} compositions, potential {plan.potential}, "
        f"frozen test {', '.join(plan.test_formulas)}"
    )
    if text := potential_note(plan, campaign.configuration.name):
        campaign.display.say(text)


class _Stop:
    """Takes Ctrl-C and SIGTERM as a request for a clean stop; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        """Wait for the first signal."""
        self.received: int | None = None

    def __call__(self) -> bool:
        """Return True once a stop was requested."""
        return self.received is not None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen inside this context."""
        before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _receive(self, number: int, _frame: object) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number
        note("stopping at the next checkpoints (Ctrl-C again to stop at once)")


def _show(db: "Database", configuration: "CampaignConfiguration", *, as_json: bool, **more: Any) -> None:
    """Print the status of a campaign, with a note where labels of other gate versions are left out."""
    from vitrion.answers.campaign_status import campaign_status  # noqa: PLC0415
    from vitrion.database.queries.gate_versions import summarize_others  # noqa: PLC0415

    status = campaign_status(db, configuration)
    shown = status.model_dump() | more
    columns = [name for name in shown if name != "other_gate_versions" or status.other_gate_versions]
    emit(shown, as_json=as_json, columns=columns)
    if status.other_gate_versions:
        note(f"left out: {summarize_others(status.other_gate_versions)}")


def _write_report(campaign: "Campaign", output: Path) -> Path:
    from vitrion.report import build  # noqa: PLC0415

    campaign.display.say("writing the report")
    return build(campaign.db, campaign.configuration.name, output)
