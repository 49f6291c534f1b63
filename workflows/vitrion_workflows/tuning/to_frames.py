"""Tuning to given frames, such as those of DFT: one fit, judged on blocks that were held out."""

from dataclasses import asdict, dataclass
from pathlib import Path

from ase.data import chemical_symbols

from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks
from vitrion_workflows.potentials.adapters.nep import NepForceField
from vitrion_workflows.potentials.devices import choose_device
from vitrion_workflows.potentials.registry import find
from vitrion_workflows.potentials.weights.package import sha256_of
from vitrion_workflows.tuning.agreement import TuningRefused, agreement_by_group
from vitrion_workflows.tuning.card import Card, Source
from vitrion_workflows.tuning.fit import element_shifts, fit
from vitrion_workflows.tuning.frame_file import read_labelled, split, thinned
from vitrion_workflows.tuning.nep_file import read_nep
from vitrion_workflows.tuning.parents import load_parent
from vitrion_workflows.tuning.settings import DEFAULT, FitSettings
from vitrion_workflows.tuning.work_folder import work_folder


@dataclass(frozen=True, kw_only=True)
class FramesRequest:
    """Everything that determines a potential tuned to given frames.

    Attributes:
        parent: registry name of the potential to tune.
        path: extended XYZ file.
        frames: greatest number of frames to learn from, drawn evenly from those that are not held out.
        seed: of the fit.
        settings: of the fit.
    """

    parent: str
    path: Path
    frames: int = 60
    seed: int = 0
    settings: FitSettings = DEFAULT


def tune_to_frames(
    request: FramesRequest, *, name: str, device: str = "cpu", callbacks: Callbacks = NO_CALLBACKS
) -> Card:
    """Tune a potential to given frames; it is written if it agrees with those held out.

    The bounds are those of `vitrion_workflows.tuning.rounds.tune`, for each formula of the file. The zero of energy of
    each element is that of the parent: DFT programs and settings have their own, which is fitted and taken off.

    Args:
        request: see `FramesRequest`.
        name: the result is loaded as ``tuned:NAME``.
        device: of the fit.
        callbacks: progress and stop condition.

    Raises:
        TuningRefused: the bounds were not reached.
        InputError: the name is taken, the file is wrong, or the parent does not cover its elements.
        MissingDependencyError: the parent is not installed.
        StoppedError: a callback stopped it.
    """
    parent, path = load_parent(request.parent)
    chosen_device = choose_device(find(request.parent)[0], device)
    given, held_out = split(read_labelled(request.path))
    frames = thinned(given, request.frames)
    numbers = sorted({number for frame in (*given, *held_out) for number in frame.system.numbers.tolist()})
    elements = tuple(chemical_symbols[number] for number in numbers)
    for frame in (*given, *held_out):
        parent.require_elements(frame.system.numbers)
    target = Source(name=request.path.name, sha256=sha256_of(request.path))
    identity = {
        "parent": parent.weights_sha256,
        "frames": [target.sha256, request.frames],
        "seed": request.seed,
        "settings": asdict(request.settings),
    }
    with work_folder(name, identity) as folder:
        start = read_nep(path).reduced_to(elements)
        shifts = folder.record("energy-shifts", lambda: element_shifts(start, frames))
        _, tuned = folder.model(
            "nep-1",
            lambda: fit(
                start,
                frames,
                seed=request.seed,
                settings=request.settings,
                device=chosen_device,
                callbacks=callbacks,
            ),
        )
        student = NepForceField(tuned, name=tuned.name, weights_sha256="", device="cpu")
        before, after = (tuple(agreement_by_group(potential, held_out)) for potential in (parent, student))
        if not all(entry.is_sufficient for entry in after):
            pairs = zip(after, before, strict=True)
            figures = "; ".join(f"{entry}, R2 of the parent {old.r2:.3f}" for entry, old in pairs)
            raise TuningRefused(
                f"{request.parent} was not tuned to {request.path} ({figures}): give frames of fewer formulas"
            )
        return folder.publish(
            tuned,
            lambda sha256: Card(
                name=name,
                sha256=sha256,
                parent=Source(name=request.parent, sha256=parent.weights_sha256),
                target=target,
                elements=elements,
                compositions=tuple(sorted({frame.group for frame in given})),
                frames=len(frames),
                rounds=(after,),
                before=before,
                energy_shifts_eV=shifts,
                seed=request.seed,
                settings=request.settings,
            ),
        )
