"""Structure -> periodic graph: neighbour lists with image offsets, featurisers, batching.

`vitrion_models.graphs.batching` (torch_geometric) and `vitrion_models.graphs.geometry` (torch) are imported by name
where they are needed: importing torch_geometric takes seconds, and a neighbour list needs neither.
"""

from vitrion_models.graphs.descriptors import DESCRIPTOR_NAMES, Composition, composition_of, descriptors
from vitrion_models.graphs.elements import ELEMENT_FEATURE_NAMES, element_table
from vitrion_models.graphs.neighbours import NeighbourList, neighbour_list

__all__ = [
    "DESCRIPTOR_NAMES",
    "ELEMENT_FEATURE_NAMES",
    "Composition",
    "NeighbourList",
    "composition_of",
    "descriptors",
    "element_table",
    "neighbour_list",
]
