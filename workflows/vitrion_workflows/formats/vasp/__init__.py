"""Files of VASP runs: positions, cells, energies and settings."""
