"""Error of a periodic cell of few atoms."""

REFERENCE_ATOMS = 100
DECADES_AT_REFERENCE = 0.04


def finite_size_decades(atoms: int) -> float:
    """Return the standard deviation of log10 D through the size of a cell, decades.

    Periodic images slow an ion in a liquid by 2.837 kT / (6 pi viscosity L), as the inverse of the cell's edge (Yeh and
    Hummer, J. Phys. Chem. B 108, 15873, 2004); the viscosity of a melt being unknown, the factor is a measured one:
    docs/design/model-error.md.

    Args:
        atoms: of the cell.
    """
    factor: float = (REFERENCE_ATOMS / atoms) ** (1 / 3)
    return DECADES_AT_REFERENCE * factor
