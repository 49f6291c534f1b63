"""Structure of a cell: composition, volume estimate, closest pair, density."""
