"""The trainable part of a neuroevolution potential: expansion coefficients and one small network for each element."""

from dataclasses import dataclass, replace
from typing import Final

import torch

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.potentials import ForceResult
from vitrion_workflows.tuning.descriptors import Expansion, Neighbours, expand
from vitrion_workflows.tuning.harmonics import DEGREES, WEIGHTS
from vitrion_workflows.tuning.nep_file import NepModel

# Weights of the four-body (degree 2) and five-body (degree 1) invariants, GPUMD's C4B and C5B.
FOUR_BODY: Final = (-0.007499480826664, -0.134990654879954, 0.067495327439977, 0.404971964639861, -0.809943929279723)
FIVE_BODY: Final = 0.026596810706114


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Result for C structures with A atoms in all.

    Attributes:
        energies_eV: shape (C,).
        forces_eV_per_A: shape (A, 3).
        virials_eV: derivative of the energy with respect to strain (tension positive), shape (C, 3, 3).
    """

    energies_eV: torch.Tensor
    forces_eV_per_A: torch.Tensor
    virials_eV: torch.Tensor


class NepNetwork(torch.nn.Module):
    """A neuroevolution potential whose energies and forces can be differentiated with respect to its parameters."""

    def __init__(self, model: NepModel, *, dtype: torch.dtype = torch.float32, device: str = "cpu") -> None:
        super().__init__()
        self._model = model

        def parameter(array: object) -> torch.nn.Parameter:
            return torch.nn.Parameter(torch.as_tensor(array, dtype=dtype, device=device).clone())

        self.hidden_weights = parameter(model.hidden_weights)
        self.hidden_biases = parameter(model.hidden_biases)
        self.output_weights = parameter(model.output_weights)
        self.output_bias_eV = parameter(model.output_bias_eV)
        self.radial_coefficients = parameter(model.radial_coefficients)
        self.angular_coefficients = parameter(model.angular_coefficients)
        self.scaler: torch.Tensor
        self.register_buffer("scaler", torch.as_tensor(model.scaler, dtype=dtype, device=device))

    def to_model(self) -> NepModel:
        """Return the present parameters as a potential."""

        def array(parameter: torch.Tensor) -> FloatArray:
            return parameter.detach().cpu().double().numpy()

        return replace(
            self._model,
            hidden_weights=array(self.hidden_weights),
            hidden_biases=array(self.hidden_biases),
            output_weights=array(self.output_weights),
            output_bias_eV=float(self.output_bias_eV.detach()),
            radial_coefficients=array(self.radial_coefficients),
            angular_coefficients=array(self.angular_coefficients),
        )

    def forward(self, expansion: Expansion) -> Evaluation:
        """Evaluate expanded structures; differentiable once more with respect to the parameters."""
        types = expansion.types
        radial_pairs, angular_pairs = self._coefficients_by_atom(types)
        radial = torch.einsum(
            "atnk,atk->an", radial_pairs, expansion.radial.view(len(types), radial_pairs.shape[1], -1)
        )
        by_descriptor = angular_pairs.transpose(1, 2).flatten(2)
        angular = torch.bmm(by_descriptor, expansion.angular)
        energies = self._atom_energies(invariants(radial, angular), types)
        slopes = torch.autograd.grad(energies.sum(), (radial, angular), create_graph=True)
        fields = (
            (radial_pairs, slopes[0][:, :, None], expansion.radial_neighbours),
            (angular_pairs, slopes[1], expansion.angular_neighbours),
        )
        forces = expansion.repulsion.forces_eV_per_A
        virials = expansion.repulsion.virials_eV
        for pairs, slope, neighbours in fields:
            for element, part in enumerate(neighbours):
                basis_slopes = torch.bmm(pairs[:, element].transpose(1, 2), slope).flatten(1)
                force, virial = _pull(basis_slopes, part)
                forces = forces + force
                virials = virials.index_add(0, expansion.cells, virial)
        totals = expansion.repulsion.energies_eV.index_add(0, expansion.cells, energies)
        return Evaluation(totals, forces, virials)

    def _coefficients_by_atom(self, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the coefficients of each atom's pairs, shapes (A, T, R, K) and (A, T, A', L)."""
        return (
            self.radial_coefficients.permute(2, 3, 0, 1)[types],
            self.angular_coefficients.permute(2, 3, 0, 1)[types],
        )

    def _atom_energies(self, descriptors: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        scaled = descriptors * self.scaler
        energies = torch.zeros(len(types), dtype=descriptors.dtype, device=descriptors.device)
        for element in range(len(self._model.elements)):
            atoms = (types == element).nonzero()[:, 0]
            hidden = torch.tanh(scaled[atoms] @ self.hidden_weights[element].T - self.hidden_biases[element])
            energies = energies.index_add(0, atoms, hidden @ self.output_weights[element])
        return energies - self.output_bias_eV


def invariants(radial: torch.Tensor, angular: torch.Tensor) -> torch.Tensor:
    """Return the descriptors of each atom in the order of GPUMD, shape (A, R + 6 N).

    Args:
        radial: shape (A, R).
        angular: expansion in angular functions, shape (A, N, 24).
    """
    weighted = angular**2 * torch.as_tensor(WEIGHTS, dtype=angular.dtype, device=angular.device)
    squares = [weighted[:, :, degree == DEGREES].sum(dim=2) for degree in range(1, int(DEGREES.max()) + 1)]
    a, b, c, d, e = angular[:, :, 3:8].unbind(dim=2)
    four = FOUR_BODY[0] * a**3 + FOUR_BODY[1] * a * (b**2 + c**2) + FOUR_BODY[2] * a * (d**2 + e**2)
    four = four + FOUR_BODY[3] * d * (c**2 - b**2) + FOUR_BODY[4] * b * c * e
    five = FIVE_BODY * (angular[:, :, :3] ** 2).sum(dim=2) ** 2
    return torch.cat([radial, *squares, four, five], dim=1)


def evaluate(model: NepModel, system: AtomicSystem) -> ForceResult:
    """Evaluate one cell in double precision."""
    expansion = expand([system], model, dtype=torch.float64)
    result = NepNetwork(model, dtype=torch.float64)(expansion)
    return ForceResult(
        float(result.energies_eV.detach()[0]),
        result.forces_eV_per_A.detach().numpy(),
        result.virials_eV.detach().numpy()[0] / system.volume_A3,
    )


def _pull(basis_slopes: torch.Tensor, part: Neighbours) -> tuple[torch.Tensor, torch.Tensor]:
    """Return forces, shape (A, 3), and strain derivatives by atom, shape (A, 3, 3), of the neighbours of an element."""
    atoms, most = part.indices.shape
    gradients = torch.bmm(basis_slopes[:, None, :], part.gradients).view(atoms, most, 3)
    reactions = torch.zeros_like(gradients[:, 0] if most else part.vectors_A.sum(dim=1))
    reactions = reactions.index_add(0, part.indices.flatten(), -gradients.reshape(-1, 3))
    return gradients.sum(dim=1) + reactions, torch.bmm(part.vectors_A.transpose(1, 2), gradients)
