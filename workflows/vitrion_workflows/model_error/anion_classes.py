"""Classes of compounds by their anions, over which the error of a potential is alike."""

from collections.abc import Collection

HALOGENS = frozenset({"F", "Cl", "Br", "I"})
OXOANION_FORMERS = frozenset({"B", "C", "N", "Si", "Ge", "P", "As", "S", "Se", "Te", "I"})
CHALCOGENS = frozenset({"S", "Se", "Te"})
PNICTOGENS = frozenset({"N", "P", "As", "Sb", "Bi"})
TETRELS = frozenset({"B", "C", "Si", "Ge", "Sn", "Pb"})


def anion_class(elements: Collection[str]) -> str:
    """Return the class of a compound by its anions; of several that apply, the first.

    Oxoanion (oxygen with a non-metal), halide, oxide, chalcogenide, pnictide, tetrelide, alloy.

    Args:
        elements: chemical symbols of the compound.

    Example:
        >>> anion_class({"Li", "P", "O"}), anion_class({"Li", "P", "S"}), anion_class({"Li", "Mg"})
        ('oxoanion', 'chalcogenide', 'alloy')
    """
    symbols = frozenset(elements)
    rules = (
        ("oxoanion", "O" in symbols and bool(symbols & OXOANION_FORMERS)),
        ("halide", bool(symbols & HALOGENS)),
        ("oxide", "O" in symbols),
        ("chalcogenide", bool(symbols & CHALCOGENS)),
        ("pnictide", bool(symbols & PNICTOGENS)),
        ("tetrelide", bool(symbols & TETRELS)),
    )
    return next((name for name, applies in rules if applies), "alloy")
