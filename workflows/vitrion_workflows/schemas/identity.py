"""Identity of a cell and of a label: sha256 over canonical, rounded content.

Two descriptions of one cell must give one fingerprint after reordering atoms, wrapping them, rotating the whole cell,
and a round trip through a text format. Rounding makes that so unless a coordinate lies within the format's error of a
rounding boundary. The grids are therefore coarse beside any format's error (1e-8) and fine beside thermal motion, and
shifted by an irrational part of a step, so that no coordinate people write down (1/4, 1/3, 0.125, six decimals) lies on
a boundary. What the chance leaves over (about 3 N * 2e-9 / 5e-4) the database resolves by comparing geometry when it
adds; see docs/design/identity.md.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vitrion_models.errors import InputError
from vitrion_workflows.schemas.isotopes import site_occupancies
from vitrion_workflows.schemas.label import LabelOutcome, LabelProtocol
from vitrion_workflows.schemas.method import StartRecord

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

FRACTIONAL_GRID = 5e-4
LENGTH_GRID_A = 2e-3
ANGLE_GRID_DEG = 2e-2
GRID_SHIFT = 1.0 / math.pi


def fingerprint(structure: "Structure") -> str:
    """Identity of a periodic cell.

    Args:
        structure: ordered or partially occupied.

    Returns:
        sha256 in hexadecimal over lattice parameters, species and fractional coordinates on their grids.

    Raises:
        InputError: the structure is empty or has coordinates that are not finite.
    """
    if len(structure) == 0:
        raise InputError("an empty structure has no fingerprint")
    return cell_fingerprint(
        np.asarray(structure.lattice.matrix, dtype=float),
        np.asarray(structure.frac_coords, dtype=float),
        [species_text(site_occupancies(site)) for site in structure],
    )


def cell_fingerprint(lattice_A: NDArray[np.float64], fractional: NDArray[np.float64], species: Sequence[str]) -> str:
    """Identity of a periodic cell from its arrays: what `fingerprint` is made of, without a pymatgen structure.

    Args:
        lattice_A: lattice vectors as rows, in Angstrom, shape (3, 3).
        fractional: fractional coordinates, in any image, shape (N, 3).
        species: `species_text` of each site.

    Raises:
        InputError: the cell is empty or has coordinates that are not finite.
    """
    if not len(species):
        raise InputError("an empty structure has no fingerprint")
    if not (np.isfinite(fractional).all() and np.isfinite(lattice_A).all()):
        raise InputError("coordinates or lattice parameters are not finite numbers")
    lengths = np.linalg.norm(lattice_A, axis=1)
    unit = lattice_A / lengths[:, None]
    cosines = np.array([unit[1] @ unit[2], unit[2] @ unit[0], unit[0] @ unit[1]])
    angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
    steps = round(1 / FRACTIONAL_GRID)
    on_grid = np.mod(_snap(np.mod(fractional, 1.0), FRACTIONAL_GRID), steps)
    names = sorted(set(species))
    codes = np.array([names.index(text) for text in species])
    order = np.lexsort((on_grid[:, 2], on_grid[:, 1], on_grid[:, 0], codes))
    numbers = np.concatenate(
        [_snap(lengths, LENGTH_GRID_A), _snap(angles, ANGLE_GRID_DEG), codes[order], on_grid[order].ravel()],
    )
    # Bytes rather than JSON: a database asks for this hundreds of thousands of times.
    return hashlib.sha256("\n".join(names).encode() + b"\0" + numbers.astype("<i8").tobytes()).hexdigest()


def label_key(
    *,
    structure_fingerprint: str,
    species: str,
    temperature_K: float,
    protocol: LabelProtocol | None,
    weights_sha256: str,
    seed: int,
    property_name: str = "tracer_diffusivity",
    start: StartRecord | None = None,
) -> str:
    """Identity of a label, known before it is computed: the unit of restart.

    Args:
        structure_fingerprint: identity of the cell the run starts from (or of a composition, for imported labels).
        species: mobile species, for example ``Li``.
        temperature_K: set temperature.
        protocol: numbers of the run; None for labels imported from elsewhere.
        weights_sha256: identity of the potential's weights, or of the imported data set.
        seed: seed of the run.
        property_name: what is measured.
        start: what prepared positions and velocities; None for an ordinary start, which leaves no trace in the key.
    """
    content: dict[str, Any] = {
        "structure": structure_fingerprint,
        "property": property_name,
        "species": species,
        "temperature_mK": round(temperature_K * 1000),
        "protocol": None if protocol is None else protocol.model_dump(mode="json"),
        "weights": weights_sha256,
        "seed": seed,
    }
    if start is not None:
        content["start"] = start.identity
    return _sha256(content)


def outcome_key(outcome: LabelOutcome) -> str:
    """Identity of a finished label."""
    return label_key(
        structure_fingerprint=outcome.structure_fingerprint,
        species=outcome.species,
        temperature_K=outcome.temperature_K,
        protocol=outcome.protocol,
        weights_sha256=outcome.method.weights_sha256,
        seed=outcome.method.seed,
        property_name=outcome.property,
        start=outcome.method.start,
    )


def _snap(values: NDArray[np.float64], grid: float) -> NDArray[np.int64]:
    return np.floor(values / grid + GRID_SHIFT).astype(np.int64)


def species_text(occupancies: Mapping[str, float]) -> str:
    """Return the occupation of a site: ``symbol:occupancy`` in alphabetical order, occupancies with four decimals.

    Args:
        occupancies: of each element or isotope, by its symbol (`vitrion_workflows.schemas.isotopes`).
    """
    return ";".join(f"{symbol}:{occupancy:.4f}" for symbol, occupancy in sorted(occupancies.items()))


def _sha256(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
