"""Fit of a neuroevolution potential to labelled frames, from its present parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase.data import chemical_symbols

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks
from vitrion_workflows.tuning.descriptors import Expansion, expand
from vitrion_workflows.tuning.frames import LabelledFrame
from vitrion_workflows.tuning.nep_file import NepModel
from vitrion_workflows.tuning.network import NepNetwork
from vitrion_workflows.tuning.settings import DEFAULT, FitSettings

COEFFICIENTS = ("radial_coefficients", "angular_coefficients")


@dataclass(frozen=True, eq=False)
class _Batch:
    """Expanded frames with their targets."""

    expansion: Expansion
    forces: torch.Tensor
    force_weights: torch.Tensor
    energies_per_atom: torch.Tensor
    virials_per_atom: torch.Tensor
    has_stress: torch.Tensor


def fit(
    model: NepModel,
    frames: Sequence[LabelledFrame],
    *,
    seed: int,
    settings: FitSettings = DEFAULT,
    device: str = "cpu",
    callbacks: Callbacks = NO_CALLBACKS,
) -> NepModel:
    """Fit all parameters of a potential to frames with Adam, from their present values.

    The loss is the mean square error of forces over the mean square force, plus those of energy and virial per atom
    over the squares of their scales. A reference has its own zero of energy: a shift for each element is fitted first
    (`element_shifts`) and taken off the reference's energies, so that the potential keeps the zero it had.

    Args:
        model: potential to begin with, of all elements of the frames.
        frames: to learn from.
        seed: of the order of frames; the same seed gives the same parameters on the same machine.
        settings: numbers of the fit.
        device: of torch.
        callbacks: progress and stop condition, asked after each step.

    Raises:
        InputError: there are no frames, or an element is not covered.
        StoppedError: a callback stopped it.
    """
    if not frames:
        raise InputError("no frames to learn from: give one or more")
    generator = np.random.default_rng(seed)
    shifts = element_shifts(model, frames, device=device)
    order = generator.permutation(len(frames))
    count = math.ceil(len(frames) / settings.frames_per_step)
    batches = []
    for part in np.array_split(order, count):
        batches.append(_batch([frames[place] for place in part], model, shifts, settings, device))
        callbacks.on_progress("expanding frames", len(batches), count)
        if callbacks.should_stop():
            raise StoppedError(f"stopped after {len(batches)} of {count} parts of the frames")
    force_square = _mean_square([batch.forces * batch.force_weights for batch in batches])
    network = NepNetwork(model, device=device)
    optimiser = torch.optim.Adam(_parameter_groups(network, settings), betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, settings.steps))
    for step in range(settings.steps):
        if step % count == 0:
            turn = generator.permutation(count)
        loss = _loss(network, batches[turn[step % count]], force_square, settings)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        callbacks.on_progress("fit", step + 1, settings.steps)
        if callbacks.should_stop():
            raise StoppedError(f"stopped after {step + 1} of {settings.steps} steps of the fit")
    return network.to_model()


def element_shifts(model: NepModel, frames: Sequence[LabelledFrame], *, device: str = "cpu") -> dict[str, float]:
    """Return the energy of each element by which a reference lies above a potential, in eV an atom.

    Least squares over the frames; of least norm where the compositions do not tell elements apart.
    """
    amounts = np.array(
        [[float(np.sum(frame.system.numbers == number)) for number in _atomic_numbers(model)] for frame in frames]
    )
    differences = np.array([frame.energy_eV for frame in frames]) - predict_energies(model, frames, device=device)
    sizes = amounts.sum(axis=1)
    shifts = np.linalg.lstsq(amounts / sizes[:, None], differences / sizes, rcond=None)[0]
    return dict(zip(model.elements, shifts.tolist(), strict=True))


def predict_energies(model: NepModel, frames: Sequence[LabelledFrame], *, device: str = "cpu") -> FloatArray:
    """Return the energy of each frame in eV, shape (F,)."""
    network = NepNetwork(model, device=device)
    energies = [
        float(network(expand([frame.system], model, device=device)).energies_eV.detach()[0]) for frame in frames
    ]
    return np.array(energies)


def _atomic_numbers(model: NepModel) -> list[int]:
    return [chemical_symbols.index(symbol) for symbol in model.elements]


def _batch(
    frames: Sequence[LabelledFrame], model: NepModel, shifts: dict[str, float], settings: FitSettings, device: str
) -> _Batch:
    def tensor(array: object) -> torch.Tensor:
        return torch.as_tensor(np.asarray(array), dtype=torch.float32, device=device)

    by_number = dict(zip(_atomic_numbers(model), shifts.values(), strict=True))
    zeros = [sum(by_number[int(number)] for number in frame.system.numbers) for frame in frames]
    forces = np.concatenate([frame.forces_eV_per_A for frame in frames])
    magnitudes = np.linalg.norm(forces, axis=1, keepdims=True)
    virials = [
        np.zeros((3, 3))
        if frame.stress_eV_per_A3 is None
        else frame.stress_eV_per_A3 * frame.system.volume_A3 / len(frame.system)
        for frame in frames
    ]
    return _Batch(
        expansion=expand([frame.system for frame in frames], model, device=device),
        forces=tensor(forces),
        force_weights=tensor(1 / np.maximum(1, magnitudes / settings.tail_eV_per_A)),
        energies_per_atom=tensor(
            [(frame.energy_eV - zero) / len(frame.system) for frame, zero in zip(frames, zeros, strict=True)]
        ),
        virials_per_atom=tensor(virials),
        has_stress=tensor([float(frame.stress_eV_per_A3 is not None) for frame in frames]),
    )


def _loss(network: NepNetwork, batch: _Batch, force_square: float, settings: FitSettings) -> torch.Tensor:
    result, counts = network(batch.expansion), batch.expansion.counts
    force = (((result.forces_eV_per_A - batch.forces) * batch.force_weights) ** 2).mean() / force_square
    energy = (result.energies_eV / counts - batch.energies_per_atom) / settings.energy_scale_eV_per_atom
    virial = (result.virials_eV / counts[:, None, None] - batch.virials_per_atom) / settings.virial_scale_eV_per_atom
    loss: torch.Tensor = force + (energy**2).mean() + (virial**2 * batch.has_stress[:, None, None]).mean()
    return loss


def _mean_square(parts: Sequence[torch.Tensor]) -> float:
    return float(sum((part**2).sum() for part in parts) / sum(part.numel() for part in parts))


def _parameter_groups(network: NepNetwork, settings: FitSettings) -> list[dict[str, object]]:
    coefficients = [tensor for name, tensor in network.named_parameters() if name in COEFFICIENTS]
    others = [tensor for name, tensor in network.named_parameters() if name not in COEFFICIENTS]
    return [
        {"params": others, "lr": settings.network_rate},
        {"params": coefficients, "lr": settings.coefficient_rate},
    ]


def _rate(step: int, steps: int) -> float:
    """Return the share of the greatest learning rate: a short rise, then half a cosine."""
    rise = min(1.0, (step + 1) / min(20, steps))
    return rise * 0.5 * (1 + math.cos(math.pi * step / steps))
