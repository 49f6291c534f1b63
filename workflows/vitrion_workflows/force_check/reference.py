"""Choice of the reference potential for a set of elements."""

from collections.abc import Iterable

from vitrion_workflows import potentials

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
