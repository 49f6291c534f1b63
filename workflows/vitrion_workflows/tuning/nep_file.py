"""Text files of neuroevolution potentials of the form ``nep4_zbl`` (GPUMD's `nep.txt`), read, reduced and written.

Form: Song et al., Nat. Commun. 15, 10208 (2024); file: https://gpumd.org/potentials/nep.html. A header of seven lines
is followed by one number a line: the network of each element, a common bias, the expansion coefficients of each ordered
pair of elements and a factor for each descriptor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.system import FloatArray

KIND = "nep4_zbl"
HEADER_LINES = 7
# Highest degrees of the three-, four- and five-body descriptors: the only choice that is read.
L_MAX = ("4", "2", "1")
ANGULAR_INVARIANTS = 6  # degrees 1 to 4, and one each of the four- and five-body terms
HEADER_WORDS = {"zbl": 2, "cutoff": 4, "n_max": 2, "basis_size": 2, "l_max": 3, "ANN": 2}


@dataclass(frozen=True, eq=False)
class NepModel:
    """A neuroevolution potential of T elements, D descriptors and H neurons.

    Attributes:
        elements: chemical symbols, in the order of the types.
        zbl_inner_A: distance up to which the screened repulsion of nuclei (ZBL) acts in full.
        zbl_outer_A: distance from which it is zero.
        radial_cutoff_A: reach of the radial descriptors.
        angular_cutoff_A: reach of the angular descriptors.
        most_neighbours: greatest numbers of neighbours within both, which the evaluating program allocates.
        hidden_weights: shape (T, H, D).
        hidden_biases: subtracted, shape (T, H).
        output_weights: shape (T, H), eV.
        output_bias_eV: subtracted from the energy of each atom.
        radial_coefficients: descriptor, basis function, central and neighbouring element, shape (R, K, T, T).
        angular_coefficients: the same for the angular ones, shape (A, L, T, T).
        scaler: factor of each descriptor, shape (D,); D = R + 6 A.
    """

    elements: tuple[str, ...]
    zbl_inner_A: float
    zbl_outer_A: float
    radial_cutoff_A: float
    angular_cutoff_A: float
    most_neighbours: tuple[int, int]
    hidden_weights: FloatArray
    hidden_biases: FloatArray
    output_weights: FloatArray
    output_bias_eV: float
    radial_coefficients: FloatArray
    angular_coefficients: FloatArray
    scaler: FloatArray

    def reduced_to(self, elements: Sequence[str]) -> "NepModel":
        """Return the same potential for some of its elements, in the order of the file.

        Raises:
            InputError: an element is not covered.
        """
        missing = sorted(set(elements) - set(self.elements))
        if missing:
            raise InputError(f"the potential does not cover {', '.join(missing)}: choose another parent")
        kept = [place for place, symbol in enumerate(self.elements) if symbol in set(elements)]
        pairs = np.ix_(kept, kept)
        return replace(
            self,
            elements=tuple(self.elements[place] for place in kept),
            hidden_weights=self.hidden_weights[kept],
            hidden_biases=self.hidden_biases[kept],
            output_weights=self.output_weights[kept],
            radial_coefficients=self.radial_coefficients[..., pairs[0], pairs[1]],
            angular_coefficients=self.angular_coefficients[..., pairs[0], pairs[1]],
        )


def read_nep(path: Path) -> NepModel:
    """Read a file of a neuroevolution potential.

    Raises:
        InputError: there is no such file, or it has another form than nep4_zbl with l_max 4 2 1.
        CheckpointError: the file is damaged.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file: give the text file of a neuroevolution potential")
    lines = path.read_bytes().decode("ascii", errors="replace").split("\n")
    elements, header = _read_header(path, [line.split() for line in lines[:HEADER_LINES]])
    try:
        values = np.array(lines[HEADER_LINES:] if lines[-1].strip() else lines[HEADER_LINES:-1], dtype=np.float64)
        counts = [int(word) for name in ("n_max", "basis_size") for word in header[name]]
        neurons, neighbours = int(header["ANN"][0]), tuple(int(word) for word in header["cutoff"][2:])
        radii = [float(word) for word in (*header["zbl"], *header["cutoff"][:2])]
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: {error}; get the original file") from error
    n_radial, n_angular, k_radial, k_angular = (count + 1 for count in counts)
    n_types, n_descriptors = len(elements), n_radial + ANGULAR_INVARIANTS * n_angular
    sizes = [
        n_types * neurons * (n_descriptors + 2),
        1,
        n_radial * k_radial * n_types**2,
        n_angular * k_angular * n_types**2,
        n_descriptors,
    ]
    if len(values) != sum(sizes) or not np.isfinite(values).all():
        raise CheckpointError(f"{path} holds {len(values)} numbers instead of {sum(sizes)}: get the original file")
    networks, bias, radial, angular, scaler = np.split(values, np.cumsum(sizes)[:-1])
    weights, biases, outputs = np.split(
        networks.reshape(n_types, -1), [neurons * n_descriptors, neurons * (n_descriptors + 1)], axis=1
    )
    return NepModel(
        elements=elements,
        zbl_inner_A=radii[0],
        zbl_outer_A=radii[1],
        radial_cutoff_A=radii[2],
        angular_cutoff_A=radii[3],
        most_neighbours=(neighbours[0], neighbours[1]),
        hidden_weights=weights.reshape(n_types, neurons, n_descriptors),
        hidden_biases=biases,
        output_weights=outputs,
        output_bias_eV=float(bias[0]),
        radial_coefficients=radial.reshape(n_radial, k_radial, n_types, n_types),
        angular_coefficients=angular.reshape(n_angular, k_angular, n_types, n_types),
        scaler=scaler,
    )


def write_nep(model: NepModel, path: Path) -> None:
    """Write a potential as a text file; numbers survive unchanged."""
    radial, angular = model.radial_coefficients, model.angular_coefficients
    header = [
        f"{KIND} {len(model.elements)} {' '.join(model.elements)}",
        f"zbl {model.zbl_inner_A:g} {model.zbl_outer_A:g}",
        f"cutoff {model.radial_cutoff_A:g} {model.angular_cutoff_A:g} {' '.join(map(str, model.most_neighbours))}",
        f"n_max {len(radial) - 1} {len(angular) - 1}",
        f"basis_size {radial.shape[1] - 1} {angular.shape[1] - 1}",
        f"l_max {' '.join(L_MAX)}",
        f"ANN {model.hidden_weights.shape[1]} 0",
    ]
    count = len(model.elements)
    networks = np.concatenate(
        [model.hidden_weights.reshape(count, -1), model.hidden_biases, model.output_weights], axis=1
    )
    parts = (networks, np.array(model.output_bias_eV), radial, angular, model.scaler)
    values = np.concatenate([part.ravel() for part in parts])
    path.write_text("\n".join([*header, *(repr(float(value)) for value in values), ""]))


def _read_header(path: Path, rows: list[list[str]]) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    first, header = rows[0] if rows else [], {row[0]: row[1:] for row in rows[1:] if row}
    elements = tuple(first[2:])
    sound = first[:2] == [KIND, str(len(elements))] and elements and set(elements) <= set(chemical_symbols[1:])
    if not sound or {name: len(words) for name, words in header.items()} != HEADER_WORDS:
        raise InputError(f"{path} is not a neuroevolution potential of the form {KIND}: choose another parent")
    if tuple(header["l_max"]) != L_MAX:
        raise InputError(f"{path} has l_max {' '.join(header['l_max'])}: only {' '.join(L_MAX)} can be tuned")
    return elements, header
