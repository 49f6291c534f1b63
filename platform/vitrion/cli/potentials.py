"""`vitrion potentials`: list, install, check and serve machine-learned potentials."""

from pathlib import Path
from typing import Annotated, Any

import typer

import vitrion
from vitrion.cli.console import options as choose
from vitrion.cli.console.cells import read_cells
from vitrion.cli.console.figures import picture_format, save
from vitrion.cli.console.options import Device
from vitrion.cli.console.output import emit, note, progress
from vitrion_models.errors import InputError
from vitrion_models.temperatures import parse_temperatures
from vitrion_workflows import potentials

app = typer.Typer(no_args_is_help=True, help="List, install, check and serve machine-learned potentials.")

LIST_COLUMNS = ("name", "ready", "default", "version", "functional", "speed_class", "licence", "reason")
CHECK_COLUMNS = ("name", "passed", "deviation", "limit", "unit")
JUDGE_COLUMNS = (
    "formula",
    "temperature_K",
    "r2",
    "worst",
    "slope",
    "inverse_slope",
    "residual_meV",
    "bias_GPa",
    "ref_r2",
    "ref_inverse_slope",
    "melt_A3",
    "melt_over_aimd",
    "melt_over_measured",
    "over_given",
    "over_reference",
    "bulk_GPa",
)
TUNE_COLUMNS = (
    "group",
    "frames",
    "r2_before",
    "r2",
    "slope_before",
    "slope",
    "energy_scatter_before_meV",
    "energy_scatter_meV",
    "pressure_bias_before_GPa",
    "pressure_bias_GPa",
)
MOST_FRAMES = 2000
LARGEST_TUNING_SEED = 2**31  # seeds of rounds and volumes are derived by adding and doubling
EXIT_FAILED = 1
LONGEST_RUN_PS = 100.0
FAST_RUN_PS, SLOW_RUN_PS = 0.8, 0.1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="Name from `vitrion potentials list`.")]


@app.command("list")
def list_potentials(*, as_json: AsJson = False) -> None:
    """List all potentials: which can run here, and what the others need."""
    default, reason = potentials.default_potential()
    emit([_row(entry, default) for entry in potentials.entries()], as_json=as_json, columns=LIST_COLUMNS)
    if not as_json:
        note(f"default: {default} ({reason})")


@app.command()
def install(
    name: Name,
    *,
    file: Annotated[Path | None, typer.Option(help="Weights on this machine, instead of a download.")] = None,
    as_json: AsJson = False,
) -> None:
    """Install the weights of a potential, checked by sha256."""
    path = potentials.install(name, file=file, on_progress=note)
    emit({"name": name, "path": None if path is None else str(path)}, as_json=as_json)


@app.command()
def check(
    name: Name,
    *,
    elements: Annotated[str, typer.Option(help="One or two elements of the test cell: Cu,Au.")] = "",
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Test sha256, gradients, symmetries, conservation and coverage of a potential; exit code 1 if one fails."""
    symbols = tuple(symbol for symbol in elements.split(",") if symbol)
    reports = potentials.check(name, elements=symbols, device=device)
    emit(list(reports), as_json=as_json, columns=CHECK_COLUMNS)
    if not all(report.passed for report in reports):
        raise typer.Exit(EXIT_FAILED)


@app.command()
@choose.takes(choose.STRUCTURES)
def judge(
    name: Name,
    *,
    compositions: Annotated[str | None, typer.Option(help="Formulas: Li3PS4,LiCl.")] = None,
    from_database: Annotated[
        bool, typer.Option("--from-database", help="Compositions of the stored structures that pass the filters.")
    ] = False,
    structure: Annotated[
        list[Path] | None, typer.Option(help="File of ordered crystals, judged too; may be repeated.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Reference potential; default: diep, else chgnet, else a mace model.")
    ] = None,
    temperature: choose.Temperatures = "2000",
    atoms: Annotated[int, typer.Option(help="Approximate number of atoms of each melt.", min=8, max=1000)] = 48,
    ps: Annotated[
        float | None,
        typer.Option(
            help="Length of the run at each volume of the search for zero pressure; default 0.8 ps, 0.1 ps for a slow "
            "potential, which starts from a melt of the default one.",
            min=0.05,
            max=LONGEST_RUN_PS,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of packing and dynamics.", min=0, max=choose.LARGEST_SEED - 200)] = 0,
    device: Device = "cpu",
    to: Annotated[
        Path | None,
        typer.Option(help="Keep the results in a .jsonl file, each when it is done; run again to go on."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw a picture (.png, .svg, .pdf) of all potentials in the file of --to.")
    ] = None,
    as_json: AsJson = False,
    **typed: Any,
) -> None:
    """Judge a potential by its melts, forces and crystals against a reference potential.

    For each composition: agreement of forces on frames of its own melt (wrong structures show there) and of a short run
    of the reference (softening shows there), volume of the melt at zero pressure against AIMD and measurement, and
    equation of state of the crystal: that of --structure, of the database, or of the quickstart compounds.
    """
    if plot is not None:
        picture_format(plot)
    filters = choose.structure_filters(typed)
    if from_database == bool(compositions or structure):
        raise InputError("give --compositions, --structure or both, or --from-database with filters")
    if bool(filters) != from_database:
        raise InputError("--from-database and filters such as --chemsys Li-P-S belong together: give both")
    from vitrion.answers import judging  # noqa: PLC0415 - these are slow to import
    from vitrion.answers.judgement import read_judgements, write_judgements  # noqa: PLC0415
    from vitrion_workflows.judging import JudgingProtocol  # noqa: PLC0415

    kept = [] if to is None else read_judgements(to)
    if from_database:
        with vitrion.connect(readonly=True) as db:
            subjects = judging.subjects_of_database(db, filters)
    else:
        files = {str(file): read_cells(file) for file in structure or ()}
        formulas = choose.elements(compositions) or []
        subjects = judging.subjects_of_compositions(formulas, files)
    run_ps = ps if ps is not None else FAST_RUN_PS if judging.is_fast(name) else SLOW_RUN_PS
    protocols = [
        JudgingProtocol(temperature_K=kelvin, atoms=atoms, run_ps=run_ps, seed=seed)
        for kelvin in parse_temperatures(temperature)
    ]
    trials = judging.plan_trials(subjects, name, reference=reference, protocols=protocols, device=device)
    answers = {judgement.identity: judgement for judgement in kept}
    remaining = [trial for trial in trials if trial.identity not in answers]
    volumes = judging.aimd_volumes()
    with progress(f"judging {name}", total=len(remaining), quiet=as_json) as advance:
        for index, trial in enumerate(remaining):
            title = f"{trial.subject.formula} at {trial.protocol.temperature_K:g} K"
            note(f"{title}: {index + 1} of {len(remaining)}, at most {trial.most_seconds():.0f} s")
            advance(index, len(remaining), title)
            answers[trial.identity] = trial.answer(volumes)
            if to is not None:
                write_judgements(to, list(answers.values()))
    judgements = [answers[trial.identity] for trial in trials]
    rows = [each.row() for each in judgements]
    emit(judgements if as_json else rows, as_json=as_json, columns=JUDGE_COLUMNS)
    for row in rows:  # sentences would make the table unreadable
        for text in filter(None, (row.get("hole"), row["failure"])):
            note(f"{row['formula']} at {row['temperature_K']:g} K: {text}")
    if plot is not None:
        from vitrion.cli.console.judgement_figure import judgement_figure  # noqa: PLC0415 - matplotlib is slow to import

        save(judgement_figure(list(answers.values())), plot)
        note(f"picture written to {plot}")


@app.command()
def tune(
    parent: Annotated[str, typer.Argument(help="nep89, or a potential tuned before: tuned:NAME.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the result, which is loaded as tuned:NAME.")],
    to: Annotated[str | None, typer.Option(help="Reference potential to agree with, such as diep.")] = None,
    to_frames: Annotated[
        Path | None, typer.Option(help="Extended XYZ file with energy, forces and stress or virial, instead of --to.")
    ] = None,
    compositions: Annotated[str | None, typer.Option(help="Formulas for --to: Li3P,LiCl.")] = None,
    crystal: Annotated[
        list[Path] | None, typer.Option(help="File of ordered crystals to learn from as well, with --to.")
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            help="With --to: frames of each composition in each round (24); else most frames of the file (60).",
            min=8,
            max=MOST_FRAMES,
        ),
    ] = None,
    rounds: Annotated[
        int, typer.Option(help="Most fits, with --to: the best is taken, or refused.", min=1, max=20)
    ] = 4,
    seed: Annotated[int, typer.Option(help="Of packing, dynamics and fit.", min=0, max=LARGEST_TUNING_SEED)] = 0,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Tune NEP89 to a reference potential for a few compositions, or to DFT frames; some minutes for one composition.

    The result is written if its forces have R2 0.9 or more, and its pressure a bias below 0.5 GPa, on fresh frames of
    its own dynamics (or on held-out blocks of the file); rounds go on until R2 is 0.95.
    Run the same command again to continue after an interruption.
    NEP89 is under GPL-3, and so is what is derived from it: the result is a file of your own.
    """
    formulas = choose.elements(compositions) or []
    if (to is None) == (to_frames is None):
        raise InputError("give --to with a reference potential, or --to-frames with a file")
    if (to is None) == bool(formulas):
        raise InputError("--compositions are the melts that --to needs: give both, or neither with --to-frames")
    from vitrion_workflows.potentials.weights.tuned import TunedWeights  # noqa: PLC0415
    from vitrion_workflows.tuning.parents import load_parent  # noqa: PLC0415 - before torch, see docs/design/potentials.md

    TunedWeights(name).require_absent()
    load_parent(parent)
    from vitrion_workflows.dynamics.stage import Callbacks  # noqa: PLC0415
    from vitrion_workflows.schemas.geometry import system_from_structure  # noqa: PLC0415
    from vitrion_workflows.tuning import rounds as to_reference  # noqa: PLC0415 - imports torch
    from vitrion_workflows.tuning.to_frames import FramesRequest, tune_to_frames  # noqa: PLC0415

    crystals = tuple(system_from_structure(cell) for file in crystal or () for cell in read_cells(file))
    with progress(f"tuning {parent}", quiet=as_json) as advance:
        callbacks = Callbacks(on_progress=lambda stage, done, total: advance(done, total, stage), on_part=note)
        if to_frames is not None:
            given = FramesRequest(parent=parent, path=to_frames, frames=frames or FramesRequest.frames, seed=seed)
            card = tune_to_frames(given, name=name, device=device, callbacks=callbacks)
        else:
            request = to_reference.TuningRequest(
                parent=parent,
                reference=str(to),
                compositions=tuple(formulas),
                frames=frames or to_reference.TuningRequest.frames,
                most_rounds=rounds,
                crystals=crystals,
                seed=seed,
            )
            card = to_reference.tune(request, name=name, device=device, callbacks=callbacks)
    emit(card if as_json else card.rows(), as_json=as_json, columns=TUNE_COLUMNS)
    if not as_json:
        note(f"tuned:{name} written, sha256 {card.sha256}")


@app.command()
def serve(
    name: Name,
    *,
    address: Annotated[str, typer.Option(help="Address of a `remote:` potential: host:port or unix:/path.")] = "",
    identity: Annotated[
        Path | None, typer.Option(help="Write name, version and weights hash of the potential to a JSON file.")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for a run to connect.", min=0)] = 60.0,
    device: Device = "cpu",
) -> None:
    """Compute forces for a run in another environment or on another machine (see docs/design/potentials.md)."""
    if not address and identity is None:
        raise InputError("vitrion potentials serve needs --address, --identity or both")
    if address:
        potentials.remote.parse_address(address)
    force_field = potentials.load(name, device=device)
    if identity is not None:
        potentials.remote.write_identity(force_field, identity)
        note(f"identity of {force_field.name} written to {identity}")
    if address:
        note(f"{force_field.name} {force_field.version} serves at {address}")
        potentials.remote.serve(force_field, address=address, patience_s=patience)


def _row(entry: potentials.PotentialEntry, default: str) -> dict[str, Any]:
    available = entry.probe("")
    return {
        "name": entry.name,
        "ready": available.ok,
        "reason": available.reason,
        "default": entry.name == default,
        "version": entry.version,
        "weights_sha256": entry.weights_sha256 or None,
        "licence": entry.licence,
        "functional": entry.functional,
        "elements": sorted(entry.elements),
        "speed": entry.speed,
        "speed_class": entry.speed_class,
        "optional": entry.optional,
        "citation": entry.citation,
        "how_to_install": entry.how_to_install,
    }
