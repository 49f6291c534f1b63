"""Shared parts of the graph potentials: neighbour lists with a skin, sums over edges, and their force field."""
