"""MACE, evaluated by our own engine on a file of weights."""
