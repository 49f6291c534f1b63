"""Composition of a cell and the volume estimate of its solid."""
