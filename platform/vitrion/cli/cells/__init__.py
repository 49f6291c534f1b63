"""Commands that make cells: `vitrion order`, `amorphize` and `generate`."""
