"""Files of LAMMPS: text dumps and the elements of their types."""
