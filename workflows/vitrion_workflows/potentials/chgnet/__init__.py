"""CHGNet, evaluated by our own engine on the weights of its package."""
