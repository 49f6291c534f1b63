"""Molecular dynamics: the engine, thermostats, exact checkpoints and H5MD trajectories."""
