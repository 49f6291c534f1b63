"""Trajectories in H5MD 1.1 (de Buyl, Colberg and Höfling, Comput. Phys. Commun. 185, 1546, 2014).

Layout: ``/particles/all/position/{step, time, value}``, ``/particles/all/velocity`` where stored,
``/particles/all/box/edges`` (with the same steps, as MDAnalysis wants it), ``/particles/all/{species, mass}`` (fixed),
``/observables/{temperature, potential_energy, volume}``; attributes of ``/parameters``: set_temperature_K, thermostat
and friction_per_ps where defined.
Units are attributes: Angstrom, ps, eV, K, u. The frame interval is the difference of times, inside the file.

In files of other programs a changing cell is mapped to its mean, species may be atomic numbers, chemical symbols or an
enumeration of these, and the interval of a file without times has to be stated.
"""

from vitrion_workflows.formats.h5md import PARTICLES, read_provenance
from vitrion_workflows.trajectories.h5md.reading import read
from vitrion_workflows.trajectories.h5md.writing import write

__all__ = ["PARTICLES", "read", "read_provenance", "write"]
