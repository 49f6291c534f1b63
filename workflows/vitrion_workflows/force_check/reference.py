"""Choice of the reference potential for a set of elements."""

from collections.abc import Iterable

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows import potentials
from vitrion_workflows.schemas.force_check import AUTO

# In the order of preference; a MACE model comes last, where the user has installed one.
_PREFERRED = ("diep", "chgnet")
_MACE = "mace-"


def reference_potential(elements: Iterable[str], *, production: str) -> str | None:
    """Return the name of the reference potential for these elements: DIEP, else CHGNet, else an installed MACE model.

    Args:
        elements: chemical symbols that it must cover.
        production: registry name of the potential to be checked, which is never its own reference.

    Returns:
        Registry name; None where no installed potential covers the elements, and for a production potential that
        describes no real material (``lennard-jones``).

    Raises:
        InputError: there is no such production potential.
    """
    checked, _ = potentials.find(production)
    if not checked.real_materials:
        return None
    needed = set(elements)
    mace = (entry.name for entry in potentials.entries() if entry.name.startswith(_MACE))
    for name in (*_PREFERRED, *mace):
        entry, _ = potentials.find(name)
        if entry.name != checked.name and needed <= entry.elements and potentials.installed(name).ok:
            return name
    return None


def require_reference(name: str) -> None:
    """Refuse a name that cannot serve as reference potential here, without loading it; ``auto`` always can.

    Args:
        name: registry name, or ``auto``.

    Raises:
        InputError: there is no such potential, or it describes no real material.
        MissingDependencyError: it is not installed.
    """
    if name == AUTO:
        return
    entry, _ = potentials.find(name)
    if not entry.real_materials:
        raise InputError(f"{name} describes no real material: choose another reference potential, or {AUTO}")
    available = potentials.installed(name)
    if not available.ok:
        raise MissingDependencyError(f"reference potential {name}: {available.reason}")
