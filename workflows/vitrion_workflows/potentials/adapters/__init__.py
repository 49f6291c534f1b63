"""Adapters: one module for each engine or calculator that is not evaluated by our own code."""
