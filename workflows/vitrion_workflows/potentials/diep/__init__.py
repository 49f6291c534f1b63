"""DIEP 2.0, evaluated by our own engine on the weights of its package."""
