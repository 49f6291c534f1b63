"""Refusal of a species that a structure or trajectory does not hold."""

from collections.abc import Iterable

from vitrion_models.errors import InputError


def absent_species(species: str, *, source: str, present: Iterable[str]) -> InputError:
    """Return the error for a species that is absent, with those that are present.

    Args:
        species: chemical symbol asked for.
        source: file, formula or cell that the message begins with.
        present: chemical symbols of the atoms, in any order and number.
    """
    return InputError(f"{source} holds no {species}: choose among {', '.join(sorted(set(present)))}")
