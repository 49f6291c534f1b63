"""Tuning to a reference potential: fit, run the tuned potential, have its frames labelled, fit again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.potentials.adapters.nep import NepForceField
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.tuning.agreement import FrameAgreement, TuningRefused, agreement_by_group
from vitrion_workflows.tuning.card import Card, Source
from vitrion_workflows.tuning.fit import element_shifts, fit
from vitrion_workflows.tuning.frames import LabelledFrame, label
from vitrion_workflows.tuning.nep_file import NepModel, read_nep
from vitrion_workflows.tuning.parents import load_parent
from vitrion_workflows.tuning.sampling import melt_frames, rattled_crystals, strained_and_planted
from vitrion_workflows.tuning.settings import DEFAULT, FitSettings, later
from vitrion_workflows.tuning.work_folder import WorkFolder, work_folder

CRYSTALS = "crystals"


@dataclass(frozen=True, kw_only=True)
class TuningRequest:
    """Everything that determines a potential tuned to a reference potential.

    Attributes:
        parent: registry name of the potential to tune.
        reference: registry name of the potential to agree with.
        compositions: formulas whose melts are run.
        frames: frames of the melt of each composition, in the first round and in each later one.
        most_rounds: fits after which the best is taken, or all refused.
        crystals: crystals to learn from as well, rattled.
        seed: of everything random.
        settings: of the fits.
    """

    parent: str
    reference: str
    compositions: tuple[str, ...]
    frames: int = 24
    most_rounds: int = 4
    crystals: tuple[AtomicSystem, ...] = ()
    seed: int = 0
    settings: FitSettings = DEFAULT

    @property
    def elements(self) -> tuple[str, ...]:
        """Return the chemical symbols of compositions and crystals, by atomic number."""
        symbols = {element.symbol for formula in self.compositions for element in parse_formula(formula).elements}
        symbols |= {chemical_symbols[number] for crystal in self.crystals for number in crystal.numbers}
        return tuple(sorted(symbols, key=chemical_symbols.index))

    def identity(self, parent_sha256: str, reference_sha256: str) -> dict[str, Any]:
        """Return the request in the types of JSON, weights by their sha256; the number of rounds may grow."""
        crystals = [
            [crystal.numbers.tolist(), crystal.positions_A.tolist(), crystal.lattice_A.tolist()]
            for crystal in self.crystals
        ]
        return {
            "parent": parent_sha256,
            "reference": reference_sha256,
            "compositions": list(self.compositions),
            "frames": self.frames,
            "crystals": crystals,
            "seed": self.seed,
            "settings": asdict(self.settings),
        }


def tune(request: TuningRequest, *, name: str, device: str = "cpu", callbacks: Callbacks = NO_CALLBACKS) -> Card:
    """Tune a potential to a reference potential until it agrees with it on fresh frames of its own dynamics.

    Each round fits, runs fresh melts of every composition with the result and has the reference label their frames.
    Rounds end when R2 of forces is 0.95 or more and the pressure bias below 0.5 GPa for each composition; otherwise the
    frames are added and the next round begins. After the last one the best round with R2 of 0.9 or more and that bias
    is written. Killed at any moment, the same call goes on.

    Args:
        request: see `TuningRequest`.
        name: the result is loaded as ``tuned:NAME``.
        device: of reference and fit; see `potentials.load`.
        callbacks: progress and stop condition.

    Raises:
        TuningRefused: the bounds were not reached in the rounds allowed.
        InputError: the name is taken, or parent or reference do not cover the elements.
        MissingDependencyError: a potential is not installed.
        StoppedError: a callback stopped it.
    """
    parent, path = load_parent(request.parent)
    reference = potentials.load(request.reference, device=device)
    if parent.weights_sha256 == reference.weights_sha256:
        raise InputError(f"{request.parent} cannot be tuned to itself: give another reference")
    if not request.compositions:
        raise InputError("no compositions: give one or more formulas")
    for force_field in (parent, reference):
        force_field.require_elements(np.array([atomic_numbers[symbol] for symbol in request.elements]))
    identity = request.identity(parent.weights_sha256, reference.weights_sha256)
    with work_folder(name, identity) as folder:
        start = read_nep(path).reduced_to(request.elements)
        tuning = _Tuning(request, folder, parent, reference, reference.device, callbacks)
        return tuning.run(start)


@dataclass(frozen=True)
class _Accepted:
    """A fit within the bounds: its file, the number of frames it learned from, fresh ones, figures of all rounds."""

    path: Path
    frames: int
    fresh: Sequence[LabelledFrame]
    rounds: tuple[tuple[FrameAgreement, ...], ...]

    def least_r2(self) -> float:
        return min(entry.r2 for entry in self.rounds[-1])


@dataclass(frozen=True)
class _Tuning:
    request: TuningRequest
    folder: WorkFolder
    parent: NepForceField
    reference: ForceField
    device: str
    callbacks: Callbacks

    def run(self, start: NepModel) -> Card:
        frames = self.folder.frames("frames-0", self._first_frames)
        most = self.request.most_rounds
        shifts = self.folder.record("energy-shifts", lambda: element_shifts(start, frames))
        model, rounds = start, []
        accepted: list[_Accepted] = []
        for number in range(1, most + 1):
            model, path = self.folder.model(f"nep-{number}", lambda: self._fit(model, frames, number))  # noqa: B023
            try:
                fresh, figures, exploded = self._try(path, number)
            except TuningRefused:
                if not accepted:
                    raise
                break
            rounds.append(figures)
            self.callbacks.on_part(f"round {number} of at most {most}: {'; '.join([*map(str, figures), *exploded])}")
            if not exploded and all(entry.is_sufficient for entry in figures):
                accepted.append(_Accepted(path, len(frames), fresh, tuple(rounds)))
                if all(entry.is_at_target for entry in figures):
                    break
            frames = [*frames, *fresh]
        if accepted:
            return self._publish(max(accepted, key=_Accepted.least_r2), shifts)
        raise TuningRefused(
            f"{self.request.parent} was not tuned to {self.request.reference} in {most} rounds "
            f"({'; '.join([*map(str, rounds[-1]), *exploded])}): allow more rounds or frames, or fewer compositions"
        )

    def _first_frames(self) -> list[LabelledFrame]:
        request, systems, callbacks = self.request, [], self.callbacks.within(f"melts of {self.request.parent}")
        for formula in request.compositions:
            melt = melt_frames(
                formula, self.parent, count=request.frames, seed=request.seed, callbacks=callbacks
            ).systems
            systems += [(formula, system) for system in (*melt, *strained_and_planted(melt, seed=request.seed))]
        systems += [(CRYSTALS, crystal) for crystal in rattled_crystals(request.crystals, seed=request.seed)]
        return label(systems, self.reference, callbacks=callbacks)

    def _fit(self, model: NepModel, frames: list[LabelledFrame], number: int) -> NepModel:
        return fit(
            model,
            frames,
            seed=self.request.seed + number,
            settings=self.request.settings if number == 1 else later(self.request.settings),
            device=self.device,
            callbacks=self.callbacks.within(f"round {number}"),
        )

    def _try(self, path: Path, number: int) -> tuple[list[LabelledFrame], tuple[FrameAgreement, ...], list[str]]:
        """Run fresh melts of each composition with a fitted potential, and have the reference label them.

        Returns:
            The frames, the agreement with them, and one phrase for each composition whose dynamics exploded.
        """
        request, callbacks = self.request, self.callbacks.within(f"round {number}")
        student = NepForceField(path, name=path.name, weights_sha256="", device="cpu")

        def make() -> list[LabelledFrame]:
            runs = {
                formula: melt_frames(
                    formula, student, count=request.frames, seed=request.seed + number, callbacks=callbacks
                )
                for formula in request.compositions
            }
            exploded = [f"the dynamics of {formula} exploded" for formula, run in runs.items() if not run.stable]
            systems = [(formula, system) for formula, run in runs.items() for system in run.systems]
            self.folder.record(f"exploded-{number}", lambda: exploded)
            if not systems:
                raise TuningRefused(f"{'; '.join(exploded)} at once in round {number}: give more frames")
            return label(systems, self.reference, callbacks=callbacks)

        fresh = self.folder.frames(f"frames-{number}", make)
        figures = self.folder.agreement(f"agreement-{number}", lambda: agreement_by_group(student, fresh))
        return fresh, figures, self.folder.record(f"exploded-{number}", list)

    def _publish(self, accepted: _Accepted, shifts: dict[str, float]) -> Card:
        request = self.request
        return self.folder.publish(
            accepted.path,
            lambda sha256: Card(
                name=self.folder.weights.name,
                sha256=sha256,
                parent=Source(name=request.parent, sha256=self.parent.weights_sha256),
                target=Source(name=request.reference, sha256=self.reference.weights_sha256),
                elements=request.elements,
                compositions=request.compositions,
                frames=accepted.frames,
                rounds=accepted.rounds,
                before=tuple(agreement_by_group(self.parent, accepted.fresh)),
                energy_shifts_eV=shifts,
                seed=request.seed,
                settings=request.settings,
            ),
        )
