"""Descriptors of composition and packing: an embedding that needs no training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.graphs.elements import ELEMENT_FEATURE_NAMES, element_table
from vitrion_models.materials import Composition, Material, composition_of
from vitrion_models.system import HEAVIEST_ELEMENT, AtomicSystem, FloatArray

DESCRIPTOR_NAMES = (
    *(f"mean_{name}" for name in ELEMENT_FEATURE_NAMES),
    *(f"deviation_{name}" for name in ELEMENT_FEATURE_NAMES),
    *(f"host_{name}" for name in ELEMENT_FEATURE_NAMES),
    "mobile_fraction",
    "electronegativity_range",
    "spacing",
    "packing",
)
# Typical value and spread of oxides, sulfides and halides of lithium. Fixed, so that descriptors do not depend on a
# training set, and centred, so that zero ("typical") can stand where the volume is unknown.
TYPICAL_SPACING_A, SPREAD_SPACING_A = 2.4, 0.3
TYPICAL_PACKING, SPREAD_PACKING = 0.45, 0.2


@dataclass(frozen=True)
class DescriptorBackbone:
    """Materials -> descriptors, a fixed embedding.

    Attributes:
        mobile_number: atomic number of the mobile species.
    """

    mobile_number: int

    def __call__(self, materials: Sequence[Material]) -> FloatArray:
        """Return the descriptors of S materials, shape (S, 34); a molecule or a slab has no packing descriptors.

        Raises:
            InputError: see `descriptors`.
        """
        return np.array([self._describe(material) for material in materials])

    def _describe(self, material: Material) -> FloatArray:
        volume_A3 = material.volume_A3 if isinstance(material, AtomicSystem) and all(material.pbc) else None
        return descriptors(composition_of(material), mobile_number=self.mobile_number, volume_A3=volume_A3)


def descriptors(composition: Composition, *, mobile_number: int, volume_A3: float | None = None) -> FloatArray:
    """Return the descriptors of a composition, and of its packing if the volume is given.

    Args:
        composition: amounts by atomic number.
        mobile_number: atomic number of the mobile species.
        volume_A3: volume of that many atoms, or None for a bare composition.

    Returns:
        Values in the order of `DESCRIPTOR_NAMES`, shape (34,), all of order one. Intensive: a supercell has the same.
        Means and deviations of `element_table` are over atoms, ``host_`` leaves the mobile species out; ``spacing`` is
        the scaled cube root of the volume per atom, ``packing`` the scaled filling by covalent spheres, both zero
        without a volume.

    Raises:
        InputError: an empty composition, a negative amount, an unknown element, or no mobile species.
    """
    numbers = np.array(sorted(composition), dtype=np.int64)
    amounts = np.array([composition[int(number)] for number in numbers], dtype=np.float64)
    if not len(numbers) or amounts.min() < 0 or amounts.sum() <= 0 or not np.isfinite(amounts).all():
        raise InputError("a composition needs positive, finite amounts of its elements")
    if numbers.min() < 1 or numbers.max() > HEAVIEST_ELEMENT:
        raise InputError(f"atomic numbers must lie between 1 and {HEAVIEST_ELEMENT}")
    if composition.get(mobile_number, 0.0) <= 0:
        raise InputError(f"the composition lacks the mobile species (atomic number {mobile_number}): leave it out")
    fractions = amounts / amounts.sum()
    table = element_table()[numbers]
    mean = fractions @ table
    deviation = np.sqrt(np.maximum(fractions @ (table - mean) ** 2, 0.0))
    host = np.where(numbers == mobile_number, 0.0, fractions)
    # A cell of the mobile species alone is its own host.
    host = host / host.sum() if host.sum() > 0 else fractions
    present = table[fractions > 0, ELEMENT_FEATURE_NAMES.index("electronegativity")]
    return np.concatenate(
        [
            mean,
            deviation,
            host @ table,
            [1.0 - float(fractions[numbers != mobile_number].sum()), float(np.ptp(present))],
            _packing(numbers, amounts, volume_A3),
        ],
    )


def _packing(numbers: np.ndarray, amounts: FloatArray, volume_A3: float | None) -> list[float]:
    if volume_A3 is None:
        return [0.0, 0.0]
    from ase.data import covalent_radii  # noqa: PLC0415 - keeps the import of the package light

    spheres = float(amounts @ covalent_radii[numbers] ** 3) * 4.0 / 3.0 * np.pi
    spacing = float(np.cbrt(volume_A3 / amounts.sum()))
    return [
        (spacing - TYPICAL_SPACING_A) / SPREAD_SPACING_A,
        (spheres / volume_A3 - TYPICAL_PACKING) / SPREAD_PACKING,
    ]
