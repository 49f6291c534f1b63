"""CIF written line by line, for tests of its reader."""

import numpy as np

from vitrion_workflows.formats.structures import read_entries

HEAD = (
    "data_{name}\n_cell_length_a {a}\n_cell_length_b {a}\n_cell_length_c {a}\n_cell_angle_alpha 90\n"
    "_cell_angle_beta 90\n_cell_angle_gamma 90\n{symmetry}\n{more}\nloop_\n_atom_site_label\n_atom_site_type_symbol\n"
    "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n"
)
ROCK_SALT = "Li1 Li 0 0 0 1\nCl1 Cl .5 .5 .5 1\n"
FM3M = "_space_group_name_H-M_alt 'F m -3 m'"


def cif(rows=ROCK_SALT, *, symmetry=FM3M, more="", a="5.13", name="x"):
    return HEAD.format(name=name, a=a, symmetry=symmetry, more=more) + rows


def entry_of(tmp_path, text):
    (tmp_path / "a.cif").write_text(text, encoding="utf-8")
    (entry,) = read_entries(tmp_path / "a.cif")
    return entry


def occupancies(structure):
    return sorted(structure.composition.get_el_amt_dict().items())


def check_rock_salt(structure):
    assert occupancies(structure) == [("Cl", 4.0), ("Li", 4.0)]
    shortest = np.sort(structure.distance_matrix[np.triu_indices(8, 1)])
    np.testing.assert_allclose(shortest[:12], 5.13 / 2)
