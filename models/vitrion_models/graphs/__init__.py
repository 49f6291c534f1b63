"""Structure -> graph: neighbour lists with image offsets, features of the elements, batching.

Import `vitrion_models.graphs.batching` (torch_geometric) by name: that takes seconds, and a neighbour list does not
need it.
"""

from vitrion_models.graphs.elements import ELEMENT_FEATURE_NAMES, element_table
from vitrion_models.graphs.neighbours import NeighbourList, neighbour_list

__all__ = ["ELEMENT_FEATURE_NAMES", "NeighbourList", "element_table", "neighbour_list"]
