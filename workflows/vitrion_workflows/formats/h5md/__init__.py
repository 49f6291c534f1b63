"""Files in H5MD 1.1 (de Buyl, Colberg and Höfling, Comput. Phys. Commun. 185, 1546, 2014), of any program.

Positions, box and units are read from ``/particles/NAME``, where NAME is ``all`` or the only group. Species may be
atomic numbers, chemical symbols or an enumeration of these; the interval of a file without times has to be stated.
"""

from vitrion_workflows.formats.h5md.layout import PARTICLES, read_provenance
from vitrion_workflows.formats.h5md.reading import read_frames

__all__ = ["PARTICLES", "read_frames", "read_provenance"]
