"""Tabulated features of the elements: the inputs of the nodes.

Tables instead of one-hot codes, so that an element absent from the training resembles its neighbours in the table.
"""

from functools import lru_cache

import numpy as np

from vitrion_models.system import HEAVIEST_ELEMENT, FloatArray

LAWRENCIUM = 103

ELEMENT_FEATURE_NAMES = (
    "electronegativity",
    "covalent_radius_A",
    "ionic_radius_A",
    "log_mass",
    "group",
    "period",
    "valence",
    "mendeleev_number",
    "ionization_energy_eV",
    "electron_affinity_eV",
)


@lru_cache(maxsize=1)
def element_table() -> FloatArray:
    """Return the features of the elements, shape (119, 10): row Z for atomic number Z, row 0 is zero.

    Pauling electronegativity, covalent radius (Cordero et al., Dalton Trans. 2008, 2832), mean ionic radius (Shannon),
    natural logarithm of the mass, group, period, mean common oxidation state, Mendeleev number (Pettifor), first
    ionisation energy, electron affinity; from pymatgen and ASE. Missing values are the mean over the tabulated elements
    of the period, or over all; elements beyond lawrencium have the features of lawrencium. Columns are standardised
    over Z = 1..103, so the table does not depend on a training set.
    """
    raw = np.array([_features(number) for number in range(1, LAWRENCIUM + 1)])
    period = raw[:, ELEMENT_FEATURE_NAMES.index("period")]
    for column in raw.T:
        for row in np.flatnonzero(~np.isfinite(column)):
            tabulated = np.isfinite(column)
            peers = tabulated & (period == period[row])
            column[row] = column[peers if peers.any() else tabulated].mean()
    table = np.zeros((HEAVIEST_ELEMENT + 1, raw.shape[1]))
    table[1 : LAWRENCIUM + 1] = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    table[LAWRENCIUM + 1 :] = table[LAWRENCIUM]
    table.setflags(write=False)
    return table


def _features(number: int) -> list[float]:
    import warnings  # noqa: PLC0415 - beside its only use

    from ase.data import atomic_masses, covalent_radii, missing  # noqa: PLC0415 - keeps the import of the package light
    from pymatgen.core.periodic_table import Element  # noqa: PLC0415

    element = Element.from_Z(number)
    with warnings.catch_warnings():
        # pymatgen warns and returns NaN without a tabulated electronegativity; it is filled in above.
        warnings.simplefilter("ignore")
        electronegativity = float(element.X)
    ionic_radius = float(element.average_ionic_radius)
    states = element.common_oxidation_states
    optional = (element.mendeleev_no, element.ionization_energy, element.electron_affinity)
    return [
        electronegativity,
        float(covalent_radii[number]) if covalent_radii[number] != missing else np.nan,
        ionic_radius if ionic_radius > 0 else np.nan,
        float(np.log(atomic_masses[number])),
        float(element.group),
        float(element.row),
        float(np.mean(states)) if states else 0.0,
        *(np.nan if value is None else float(value) for value in optional),
    ]
