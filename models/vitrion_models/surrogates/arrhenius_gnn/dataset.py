"""Observations -> arrays, in an order that depends on their keys alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.graphs import composition_of, descriptors
from vitrion_models.surrogates.arrhenius import inverse_temperature
from vitrion_models.surrogates.arrhenius_gnn.head import Labels
from vitrion_models.surrogates.observation import Material, Observation, compound_of, species_number
from vitrion_models.system import AtomicSystem, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class LabelSet:
    """Labels on distinct materials.

    Attributes:
        materials: distinct materials, S of them.
        descriptors: of the materials, shape (S, P).
        labels: n labels.
        groups: group of each label.
        keys: key of each label.
        compounds: those whose labels have an error of their own beside the statistical one, sorted.
        own: deviation of that error for each material in the column of its compound, decades, shape (S, C).
    """

    materials: tuple[Material, ...]
    descriptors: FloatArray
    labels: Labels
    groups: tuple[str, ...]
    keys: tuple[str, ...]
    compounds: tuple[str, ...]
    own: FloatArray


def label_set(observations: Sequence[Observation], *, mobile_number: int, reference_K: float) -> LabelSet:
    """Arrays of observations, sorted by key; a cell labelled at several temperatures is one material.

    Raises:
        InputError: a material lacks the mobile species.
    """
    ordered = sorted(observations, key=lambda observation: observation.key)
    keys = tuple(observation.key for observation in ordered)
    materials, index = distinct([observation.material for observation in ordered])
    temperatures = np.array([observation.temperature_K for observation in ordered])
    labels = Labels(
        material=index,
        x=inverse_temperature(temperatures, reference_K),
        y=np.array([observation.log10_D for observation in ordered]),
        stderr=np.array([observation.log10_stderr for observation in ordered]),
        censored=np.array([float(observation.censored) for observation in ordered]),
    )
    deviations: dict[str, float] = {}
    for observation in ordered:
        name = compound_of(observation.material)
        deviations[name] = max(observation.model_stderr, deviations.get(name, 0.0))
    compounds = tuple(sorted(name for name, deviation in deviations.items() if deviation > 0))
    return LabelSet(
        materials=materials,
        descriptors=material_descriptors(materials, mobile_number=mobile_number),
        labels=labels,
        groups=tuple(observation.group for observation in ordered),
        keys=keys,
        compounds=compounds,
        own=own_errors(materials, compounds, deviations),
    )


def own_errors(materials: Sequence[Material], compounds: Sequence[str], deviations: Mapping[str, float]) -> FloatArray:
    """Deviation of the error that each material's compound has for itself, in the column of the compound, (S, C)."""
    found = np.zeros((len(materials), len(compounds)))
    column = {name: place for place, name in enumerate(compounds)}
    for row, material in enumerate(materials):
        if (name := compound_of(material)) in column:
            found[row, column[name]] = deviations[name]
    return found


def distinct(materials: Sequence[Material]) -> tuple[tuple[Material, ...], IntArray]:
    """Distinct materials in order of first occurrence, and the index of each given one, shape (n,)."""
    seen: dict[bytes, int] = {}
    first: list[Material] = []
    index = np.empty(len(materials), dtype=np.int64)
    for row, material in enumerate(materials):
        identity = _identity(material)
        if identity not in seen:
            seen[identity] = len(first)
            first.append(material)
        index[row] = seen[identity]
    return tuple(first), index


def material_descriptors(materials: Sequence[Material], *, mobile_number: int) -> FloatArray:
    """Descriptors of materials, shape (S, P).

    Raises:
        InputError: one lacks the mobile species.
    """
    return np.array([_describe(material, mobile_number) for material in materials])


def the_species(observations: Sequence[Observation]) -> str:
    """Mobile species that all observations share.

    Raises:
        InputError: they do not share one.
    """
    species = sorted({observation.species for observation in observations})
    if len(species) != 1:
        raise InputError(f"one surrogate learns one mobile species; the labels are of {', '.join(species)}")
    species_number(species[0])
    return species[0]


def _describe(material: Material, mobile_number: int) -> FloatArray:
    if isinstance(material, AtomicSystem):
        return descriptors(composition_of(material), mobile_number=mobile_number, volume_A3=material.volume_A3)
    return descriptors(material, mobile_number=mobile_number)


def _identity(material: Material) -> bytes:
    if isinstance(material, AtomicSystem):
        return b"|".join(array.tobytes() for array in (material.numbers, material.positions_A, material.lattice_A))
    return repr(sorted((number, float(amount)) for number, amount in material.items())).encode()
