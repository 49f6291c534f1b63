"""Exports and files that a command was asked to write."""
