"""Amorphous cells: packing, equilibrium volume, melt and quench, and the gates that judge every cell."""
