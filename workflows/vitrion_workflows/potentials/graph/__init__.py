"""Shared parts of the graph potentials: neighbour lists with a skin, sums over edges, the force-field adapter."""
