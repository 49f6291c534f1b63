"""Readers of structure files, one for each format."""
