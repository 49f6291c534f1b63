"""`vitrion generate`: draw amorphous cells from the generator, relax them and store them with their gates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from vitrion.cli.console.cells import read_cells
from vitrion.cli.console.options import (
    LARGEST_SEED,
    MOST_ATOMS,
    MOST_CELLS,
    Device,
    ForceCheck,
    Reference,
    force_check_settings,
)
from vitrion.cli.console.output import Advance, emit, note, progress
from vitrion.keys import short_key
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.structure.formula import element_amounts

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from vitrion.database import Database
    from vitrion_models.generators import TrainedGenerator
    from vitrion_workflows.flows import RelaxGeneratedMaker
    from vitrion_workflows.schemas import VolumeEstimates

COLUMNS = ("fingerprint", "formula", "n_atoms", "density_g_cm3", "kind", "accepted", "energy_eV_per_atom", "failed")

DENSEST_G_CM3 = 50.0  # osmium has 22.6
DRAWN_K = 300.0  # of a glass

Count = Annotated[int, typer.Option("--count", "-n", help="Cells to draw.", min=1, max=MOST_CELLS)]
Atoms = Annotated[
    int, typer.Option(help="Approximate number of atoms; the cell holds complete formula units.", min=1, max=MOST_ATOMS)
]
Density = Annotated[float | None, typer.Option(help="In g/cm3, of the drawn cell.", min=0.01, max=DENSEST_G_CM3)]
CellFrom = Annotated[Path | None, typer.Option(help="Structure file whose lattice and composition are used.")]
Model = Annotated[str | None, typer.Option(help="sha256 of a generator in the database; default: the last promoted.")]
Folder = Annotated[Path | None, typer.Option("--model-folder", help="Folder or file of a generator.")]
Seed = Annotated[
    int, typer.Option(help="Cell k depends on the seed and on k alone.", min=0, max=LARGEST_SEED - MOST_CELLS)
]
Relax = Annotated[bool, typer.Option("--relax/--as-drawn", help="Relax with the potential before the gates.")]
Potential = Annotated[str | None, typer.Option(help="See `vitrion potentials list`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, eq=False)
class Frame:
    """Atoms and lattice that cells are drawn in, the crystal of the compound if stored, and the estimates of volume."""

    formula: str
    numbers: IntArray
    masses_u: FloatArray
    lattice_A: FloatArray
    twin: "Structure | None"
    volumes: "VolumeEstimates | None" = None


def command(
    formula: Annotated[str, typer.Argument(help="Compound, for example Li3PS4.")],
    *,
    count: Count = 8,
    atoms: Atoms = 56,
    density: Density = None,
    cell_from: CellFrom = None,
    model: Model = None,
    model_folder: Folder = None,
    seed: Seed = 0,
    relax: Relax = True,
    potential: Potential = None,
    device: Device = "auto",
    force_check: ForceCheck = True,
    reference: Reference = "auto",
    as_json: AsJson = False,
) -> None:
    """Draw amorphous cells of a compound, apply the gates of melt-quenched cells, and store them.

    Without --density or --cell-from the volume is that of an accepted amorphous cell of the compound in the database,
    else the one that the rule chooses from crystal, composition and measured density. Cells that fail a gate are
    stored too, as not accepted.
    """
    element_amounts(formula)
    if density is not None and cell_from is not None:
        raise InputError("give either --density or --cell-from, not both")
    if model is not None and model_folder is not None:
        raise InputError("give either --model or --model-folder, not both")

    # Slow to import: what is refused at once comes before.
    from ase.data import chemical_symbols  # noqa: PLC0415

    from vitrion.database import connect  # noqa: PLC0415
    from vitrion_workflows.execution.engines import usable_potential  # noqa: PLC0415
    from vitrion_workflows.flows import RelaxGeneratedMaker  # noqa: PLC0415
    from vitrion_workflows.schemas import failed_gates  # noqa: PLC0415

    with connect() as db:
        generator = _generator(db, model, model_folder)
        frame = _frame(db, formula, atoms=atoms, density_g_cm3=density, file=cell_from)
        maker = None
        if relax:
            # A potential that cannot run here is refused before the drawing, not after.
            elements = {chemical_symbols[number] for number in frame.numbers}
            name = usable_potential(potential, elements=elements, device=device)
            checked = force_check_settings(force_check=force_check, reference=reference)
            maker = RelaxGeneratedMaker(potential=name, device=device, force_check=checked)
        with progress(f"drawing {formula}", total=2 * count, quiet=as_json) as advance:
            drawn = _draw(generator, frame, count=count, seed=seed, advance=advance)
            version = generator.artefact_sha256
            if maker is None:
                stored = _store_as_drawn(db, frame, drawn, version=version, seed=seed)
            else:
                stored = _store_relaxed(db, frame, drawn, version=version, seed=seed, maker=maker, advance=advance)
        rows = [db.structures.get(fingerprint) for fingerprint in stored]
    if as_json:
        emit(rows, as_json=True)
        return
    emit([{**vars(row), "failed": failed_gates(row.gates)} for row in rows], as_json=False, columns=COLUMNS)
    note(f"{sum(row.accepted for row in rows)} of {len(rows)} accepted; generator {short_key(version)}")


def _generator(db: "Database", sha256: str | None, folder: Path | None) -> "TrainedGenerator":
    from vitrion.answers.model_artefact import artefact_in_use  # noqa: PLC0415 - only where the command runs
    from vitrion_models import generators  # noqa: PLC0415

    if folder is not None:
        return generators.load(folder)
    content, source = artefact_in_use(db, sha256, kind="generator")
    return generators.loads(content, source=source)


def _frame(db: "Database", formula: str, *, atoms: int, density_g_cm3: float | None, file: Path | None) -> Frame:
    from ase.data import atomic_numbers  # noqa: PLC0415

    from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3  # noqa: PLC0415
    from vitrion_workflows.schemas.volume import RULE  # noqa: PLC0415
    from vitrion_workflows.structure.composition import cell_contents  # noqa: PLC0415
    from vitrion_workflows.structure.element_masses import compound_masses, masses_of_elements  # noqa: PLC0415
    from vitrion_workflows.volumes.estimates import volume_estimates  # noqa: PLC0415

    crystals = db.structures.search(reduced_formula=formula, kind="crystal", disordered=False, limit=1)
    twin = db.structures.structure(crystals[0].fingerprint) if crystals else None
    if file is not None:
        return _frame_of_file(file, formula, twin)
    contents = cell_contents(formula, n_atoms=atoms)
    numbers = np.repeat([atomic_numbers[symbol] for symbol in contents], list(contents.values()))
    masses = masses_of_elements(numbers, compound_masses(formula))
    glasses = db.structures.search(reduced_formula=formula, kind="amorphous", accepted=True, limit=1)
    volumes = None
    if density_g_cm3 is not None:
        volume = float(masses.sum()) / density_g_cm3 * U_PER_A3_IN_G_PER_CM3
    elif glasses:
        volumes = glasses[0].volumes
        volume = glasses[0].volume_A3 / glasses[0].n_atoms * len(numbers)
    else:
        volumes = volume_estimates(formula, rule=RULE, temperature_K=DRAWN_K, twin=twin)
        volume = volumes.volume_A3_per_atom * len(numbers)
    return Frame(formula, numbers, masses, np.cbrt(volume) * np.eye(3), twin, volumes)


def _frame_of_file(file: Path, formula: str, twin: "Structure | None") -> Frame:
    from vitrion_workflows.schemas.geometry import system_from_structure  # noqa: PLC0415
    from vitrion_workflows.structure.composition import parse_formula  # noqa: PLC0415

    structure = read_cells(file)[0]
    given, wanted = structure.composition.reduced_formula, parse_formula(formula).reduced_formula
    if given != wanted:
        raise InputError(f"{file}: holds {given}, not {wanted}: give a cell of the compound, or use --density")
    system = system_from_structure(structure)
    return Frame(formula, system.numbers, system.masses_u, system.lattice_A, twin)


def _draw(
    generator: "TrainedGenerator", frame: Frame, *, count: int, seed: int, advance: Advance
) -> list[AtomicSystem]:
    from vitrion_models.generators import GenerationRequest  # noqa: PLC0415

    request = GenerationRequest(count=count, seed=seed, composition=frame.numbers, cell_A=frame.lattice_A)
    drawn = [replace(cell, masses_u=frame.masses_u) for cell in generator.sample(request)]
    advance(count)
    return drawn


def _store_as_drawn(
    db: "Database", frame: Frame, drawn: Sequence[AtomicSystem], *, version: str, seed: int
) -> list[str]:
    from vitrion_workflows.amorphous import cell_reference, validate_cell  # noqa: PLC0415
    from vitrion_workflows.schemas import Origin, StructureKind  # noqa: PLC0415

    reference = cell_reference(frame.formula, twin=frame.twin)
    return [
        db.structures.add(
            cell,
            kind=StructureKind.AMORPHOUS,
            origin=Origin.GENERATED,
            gates=validate_cell(cell, reference=reference),
            model_version=version,
            volumes=frame.volumes,
            seed=seed,
        ).fingerprint
        for cell in drawn
    ]


def _store_relaxed(
    db: "Database",
    frame: Frame,
    drawn: Sequence[AtomicSystem],
    *,
    version: str,
    seed: int,
    maker: "RelaxGeneratedMaker",
    advance: Advance,
) -> list[str]:
    from vitrion.cli.console.flow_running import run_flow  # noqa: PLC0415
    from vitrion.ingest.builder import build  # noqa: PLC0415
    from vitrion_workflows.schemas.geometry import structure_from_system  # noqa: PLC0415

    stored: list[str] = []
    for index, cell in enumerate(drawn):
        flow = maker.make(
            structure_from_system(cell),
            model_version=version,
            seed=seed + index,
            formula=frame.formula,
            twin=frame.twin,
            volumes=frame.volumes,
        )
        # One cell at a time: an interruption keeps the finished cells.
        documents = run_flow(flow, description=frame.formula, quiet=True)
        stored += build(db, documents).require_all().structures
        advance(len(drawn) + index + 1, message="relaxing")
    return stored
