"""Physical checks of a potential: gradients, symmetries, conserved energy, coverage."""
