"""A client of the Materials Project that answers without a network."""

from pymatgen.core import Lattice, Structure

ROCK_SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
LICL = {"material_id": "mp-22905", "structure": ROCK_SALT, "energy_above_hull": 0.0, "band_gap": 6.25}


def client(*answer, fault=None):
    """Return a class in the place of mp-api's: it answers, or raises a fault."""

    class Rester:
        def __init__(self, key):
            assert key
            self.materials = self.summary = self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def search(self, *, chemsys, fields):
            assert chemsys == "Li-Cl"
            assert {"material_id", "structure", "energy_above_hull", "band_gap"} <= set(fields)
            if fault is not None:
                raise fault
            return list(answer)

    return Rester
