"""Structure -> periodic graph: neighbour lists with image offsets, featurisers, batching.

`vitrion_models.graphs.batching` (torch_geometric) is imported by name where it is needed: that takes seconds, and a
neighbour list does without.
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
