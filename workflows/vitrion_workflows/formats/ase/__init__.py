"""Trajectories and units of ASE."""
