"""Compositions on which a potential is judged, with their crystals, and the loop over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from vitrion.answers.judgement import IDENTITY, JudgedComposition
from vitrion.datasets import amorphous_diffusivity
from vitrion.datasets.fetching import fetch
from vitrion.datasets.formulas import reduced
from vitrion.datasets.quickstart import quickstart_compounds
from vitrion.datasets.registry import specification
from vitrion.settings import Settings
from vitrion_models.errors import InputError
from vitrion_models.system import IntArray
from vitrion_workflows import potentials
from vitrion_workflows.amorphous import pack
from vitrion_workflows.execution.engines import force_field
from vitrion_workflows.force_check.reference import reference_potential
from vitrion_workflows.judging import JudgingProtocol, NamedCrystal, judge, most_seconds
from vitrion_workflows.judging.melt import PACKING_VOLUME_FACTOR
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.structure.composition import cell_contents
from vitrion_workflows.structure.volume_estimate import estimate_volume
from vitrion_workflows.volumes.measured import measured_volume

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from vitrion.database import Database

FAST = "fast"


@dataclass(frozen=True, eq=False)
class Subject:
    """A composition to judge a potential on, and its crystal where there is one."""

    formula: str
    crystal: NamedCrystal | None


@dataclass(frozen=True, eq=False)
class Trial:
    """One judgement before it begins: composition, potentials, protocol."""

    subject: Subject
    judged: ForceField
    reference: ForceField
    melter: ForceField
    protocol: JudgingProtocol

    def answer(self, aimd_volumes: Mapping[tuple[str, float], float]) -> JudgedComposition:
        """Judge the potential on the composition."""
        judgement = judge(
            self.subject.formula,
            self.judged,
            self.reference,
            protocol=self.protocol,
            melter=self.melter,
            crystal=self.subject.crystal,
        )
        formula, temperature_K = self.subject.formula, self.protocol.temperature_K
        measured = measured_volume(formula, temperature_K)
        return JudgedComposition(
            **self.conditions(),
            aimd_volume_A3_per_atom=aimd_volumes.get((formula, temperature_K)),
            measured_volume_A3_per_atom=measured.volume_A3_per_atom if measured else None,
            judgement=judgement,
        )

    def conditions(self) -> dict[str, Any]:
        """Return the fields of the answer that are known before."""
        crystal = self.subject.crystal
        return {
            "potential": self.judged.name,
            "weights_sha256": self.judged.weights_sha256,
            "reference": self.reference.name,
            "reference_sha256": self.reference.weights_sha256,
            "formula": self.subject.formula,
            "chemistry": anion_class(list(cell_contents(self.subject.formula, n_atoms=self.protocol.atoms))),
            "protocol": self.protocol,
            "melted_by": self.melter.name,
            "crystal_source": crystal.source if crystal else None,
        }

    @property
    def identity(self) -> tuple[Any, ...]:
        """Return the identity of the answer; see `JudgedComposition.identity`."""
        conditions = self.conditions()
        return tuple(conditions[name] for name in IDENTITY)

    def most_seconds(self) -> float:
        """Return a bound on the time of the judgement on this machine."""
        formula = self.subject.formula
        volume = PACKING_VOLUME_FACTOR * estimate_volume(formula).volume_A3_per_atom
        melt = pack(formula, n_atoms=self.protocol.atoms, volume_A3_per_atom=volume, seed=self.protocol.seed).system
        return most_seconds(
            melt,
            self.judged,
            self.reference,
            protocol=self.protocol,
            melter=self.melter,
            crystal=self.subject.crystal.system if self.subject.crystal else None,
        )


def subjects_of_compositions(formulas: Sequence[str], structures: "Mapping[str, Sequence[Structure]]") -> list[Subject]:
    """Return compositions, each once, with the crystals of files or of the quickstart compounds.

    Args:
        formulas: any spelling; those of the structures are added.
        structures: file -> its structures.

    Raises:
        InputError: a formula cannot be read, there is none, or a structure has partially occupied sites.
    """
    crystals: dict[str, NamedCrystal] = {}
    for file, members in structures.items():
        for structure in members:
            formula = reduced(structure.composition.formula)
            crystals.setdefault(formula, NamedCrystal(system_from_structure(structure), source=file))
    names = dict.fromkeys([*(reduced(formula) for formula in formulas), *crystals])
    if not names:
        raise InputError("no composition named: give --compositions Li3PS4,LiCl or --from-database with filters")
    return [Subject(name, crystals.get(name) or _quickstart_crystal(name)) for name in names]


def subjects_of_database(db: "Database", filters: Mapping[str, Any]) -> list[Subject]:
    """Return the compositions of the stored structures that pass filters, with a stored crystal where there is one.

    Args:
        db: where the structures are.
        filters: of `Structures.search`.

    Raises:
        InputError: no structure passes.
    """
    names = dict.fromkeys(row.reduced_formula for row in db.structures.search(**filters))
    if not names:
        raise InputError("no structure of the database passes the filters: see `vitrion structures list`")
    subjects = []
    for name in names:
        rows = db.structures.search(reduced_formula=name, kind="crystal", disordered=False, limit=1)
        fingerprint = rows[0].fingerprint if rows else None
        stored = None if fingerprint is None else NamedCrystal(db.structures.system(fingerprint), source=fingerprint)
        subjects.append(Subject(name, stored or _quickstart_crystal(name)))
    return subjects


def _quickstart_crystal(formula: str) -> NamedCrystal | None:
    for compound in quickstart_compounds():
        if reduced(compound.formula) == formula:
            return NamedCrystal(system_from_structure(compound.structure()), source=f"quickstart: {compound.source}")
    return None


def plan_trials(
    subjects: Sequence[Subject],
    potential: str,
    *,
    reference: str | None,
    protocols: Sequence[JudgingProtocol],
    device: str,
) -> list[Trial]:
    """Load the potentials and check that they cover every composition, before anything runs.

    Args:
        subjects: compositions.
        potential: registry name of the potential to be judged.
        reference: of the reference potential; where None, chosen for each composition by `reference_potential`.
        protocols: one for each temperature.
        device: for all potentials.

    Raises:
        InputError: an unknown name, a potential as its own reference, an element outside a coverage, no reference for a
            composition, or a formula unit too large for the melt.
        MissingDependencyError: a potential is not installed.
    """
    judged = force_field(potential, device)
    trials = []
    for subject in subjects:
        elements = list(cell_contents(subject.formula, n_atoms=protocols[0].atoms))
        numbers = np.array([atomic_numbers[symbol] for symbol in elements])
        judged.require_elements(numbers)
        name = reference or reference_potential(elements, production=potential)
        if name is None:
            raise InputError(f"{subject.formula}: no reference potential covers it here: name one by --reference")
        other = force_field(name, device)
        if other.weights_sha256 == judged.weights_sha256:
            raise InputError(f"{potential} is judged against another potential, not itself: give another --reference")
        other.require_elements(numbers)
        melter = _melter(potential, judged, numbers, device)
        trials += [Trial(subject, judged, other, melter, protocol) for protocol in protocols]
    return trials


def is_fast(potential: str) -> bool:
    """Return True if a potential is of the class of speed in which a melt takes seconds."""
    return potentials.find(potential)[0].speed_class == FAST


def _melter(potential: str, judged: ForceField, numbers: IntArray, device: str) -> ForceField:
    """Return the potential itself where it is fast, else the default one if that is fast and covers the elements."""
    default, _ = potentials.default_potential()
    if is_fast(potential) or not is_fast(default):
        return judged
    faster = force_field(default, device)
    covered = faster.elements >= {chemical_symbols[number] for number in numbers}
    return faster if covered else judged


def aimd_volumes() -> dict[tuple[str, float], float]:
    """Return the volumes of the AIMD table by reduced formula and temperature; empty where it is not in the mirror."""
    mirror, dataset = Settings().data_mirror, specification("aimd-amorphous-diffusivity")
    (file,) = dataset.files
    if mirror is None or not (mirror / file.path).is_file():
        return {}
    return amorphous_diffusivity.volumes_A3_per_atom(fetch(dataset)[file.name])
