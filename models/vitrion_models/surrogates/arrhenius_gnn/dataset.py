"""Samples -> arrays, in an order that depends on their keys alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.backbones import DescriptorBackbone
from vitrion_models.errors import InputError
from vitrion_models.heads.arrhenius_law import inverse_temperature
from vitrion_models.heads.likelihood import Labels
from vitrion_models.materials import Material, atomic_number, compound_of
from vitrion_models.samples import Sample
from vitrion_models.surrogates.diffusivity import DIFFUSIVITY
from vitrion_models.system import AtomicSystem, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class LabelSet:
    """n labels on S distinct materials.

    Attributes:
        materials: distinct materials.
        embeddings: descriptors of the materials, shape (S, P).
        labels: labels as arrays.
        groups: group of each label.
        keys: key of each label.
        compounds: compounds whose labels have a systematic error, sorted.
        compound_errors: standard deviation of that error for each material in the column of its compound, decades,
            shape (S, C).
    """

    materials: tuple[Material, ...]
    embeddings: FloatArray
    labels: Labels
    groups: tuple[str, ...]
    keys: tuple[str, ...]
    compounds: tuple[str, ...]
    compound_errors: FloatArray

    def error_by_compound(self) -> dict[str, float]:
        """Return the standard deviation of the systematic error of each compound, decades."""
        return {name: float(self.compound_errors[:, column].max()) for column, name in enumerate(self.compounds)}


def label_set(samples: Sequence[Sample], *, mobile_number: int, reference_K: float) -> LabelSet:
    """Return the arrays of samples, sorted by key; a cell labelled at several temperatures is one material.

    Raises:
        InputError: a material lacks the mobile species, or a sample has no diffusivity.
    """
    ordered = sorted(samples, key=lambda sample: sample.key)
    measured = [sample[DIFFUSIVITY] for sample in ordered]
    materials, index = distinct([sample.input for sample in ordered])
    labels = Labels(
        material=index,
        x=inverse_temperature(np.array([sample.temperature_K for sample in ordered]), reference_K),
        y=np.array([float(entry.value) for entry in measured]),
        stderr=np.array([float(entry.stderr) for entry in measured]),
        censored=np.array([float(entry.censored) for entry in measured]),
    )
    deviations: dict[str, float] = {}
    for sample, entry in zip(ordered, measured, strict=True):
        name = compound_of(sample.input)
        deviations[name] = max(float(entry.systematic_stderr), deviations.get(name, 0.0))
    compounds = tuple(sorted(name for name, deviation in deviations.items() if deviation > 0))
    return LabelSet(
        materials=materials,
        embeddings=DescriptorBackbone(mobile_number)(materials),
        labels=labels,
        groups=tuple(sample.group for sample in ordered),
        keys=tuple(sample.key for sample in ordered),
        compounds=compounds,
        compound_errors=compound_error_matrix(materials, compounds, deviations),
    )


def compound_error_matrix(
    materials: Sequence[Material], compounds: Sequence[str], deviations: Mapping[str, float]
) -> FloatArray:
    """Return the standard deviation of the systematic error of each material in the column of its compound, (S, C)."""
    matrix = np.zeros((len(materials), len(compounds)))
    column = {name: place for place, name in enumerate(compounds)}
    for row, material in enumerate(materials):
        if (name := compound_of(material)) in column:
            matrix[row, column[name]] = deviations[name]
    return matrix


def distinct(materials: Sequence[Material]) -> tuple[tuple[Material, ...], IntArray]:
    """Return the distinct materials in order of first occurrence, and the index of each given one, shape (n,)."""
    position: dict[bytes, int] = {}
    first: list[Material] = []
    index = np.empty(len(materials), dtype=np.int64)
    for row, material in enumerate(materials):
        identity = _identity(material)
        if identity not in position:
            position[identity] = len(first)
            first.append(material)
        index[row] = position[identity]
    return tuple(first), index


def common_species(samples: Sequence[Sample]) -> str:
    """Return the mobile species that all samples share.

    Raises:
        InputError: they have several.
    """
    species = sorted({sample.species for sample in samples})
    if len(species) != 1:
        raise InputError(f"the labels have the mobile species {', '.join(species)}: train one surrogate for each")
    atomic_number(species[0])
    return species[0]


def _identity(material: Material) -> bytes:
    if isinstance(material, AtomicSystem):
        arrays = (material.numbers, material.positions_A, material.lattice_A, np.array(material.pbc))
        return b"|".join(array.tobytes() for array in arrays)
    return repr(sorted((number, float(amount)) for number, amount in material.items())).encode()
