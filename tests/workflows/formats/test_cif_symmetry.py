"""Symmetry of a CIF: by operations, name or number, and refused where it does not fit."""

from itertools import product

import numpy as np
import pytest
from ase.io import read as ase_read
from ase.spacegroup import crystal
from cif_files import FM3M, check_rock_salt, cif, entry_of

from vitrion_models.errors import InputError

FCC = "\n".join(
    f"'x+{a},y+{b},z+{c}'"
    for a, b, c in [("0", "0", "0"), ("0", "1/2", "1/2"), ("1/2", "0", "1/2"), ("1/2", "1/2", "0")]
)


@pytest.mark.parametrize(
    "symmetry",
    [
        FM3M,
        "_space_group_name_Hall '-F 4 2 3'",
        "_symmetry_Int_Tables_number 225",
        "_SPACE_GROUP_IT_NUMBER 225",
        f"loop_\n_space_group_symop_operation_xyz\n{FCC}",
        f"loop_\n_symmetry_equiv_pos_as_xyz\n{FCC.replace('+0', '')}",
    ],
)
def test_symmetry_by_operations_name_or_number(tmp_path, symmetry):
    check_rock_salt(entry_of(tmp_path, cif(symmetry=symmetry)).structure)


@pytest.mark.parametrize(
    "symmetry",
    [
        "_space_group_name_H-M_alt 'F x -3 m'",
        "_space_group_IT_number 300",
        "_space_group_IT_number x",
        "loop_\n_space_group_symop_operation_xyz\n'x,y'",
        "loop_\n_space_group_symop_operation_xyz\n'x,y,q'",
    ],
)
def test_symmetry_that_cannot_be_read_is_refused(tmp_path, symmetry):
    with pytest.raises(InputError, match=r"space group|operation"):
        entry_of(tmp_path, cif(symmetry=symmetry))


def test_no_symmetry_at_all_is_a_remark(tmp_path):
    assert any("P 1" in remark for remark in entry_of(tmp_path, cif(symmetry="")).remarks)


@pytest.mark.parametrize("symmetry", ["_space_group_name_H-M_alt 'F d -3 m'", "_space_group_IT_number 227"])
def test_a_group_with_two_origins_needs_to_say_which(tmp_path, symmetry):
    """Diamond: its atoms lie at 0 in the first setting and at 1/8 in the second."""
    with pytest.raises(InputError, match="two origins"):
        entry_of(tmp_path, cif("C1 C 0 0 0 1\n", symmetry=symmetry, a="3.567"))


@pytest.mark.parametrize(
    ("symmetry", "place"),
    [
        ("_space_group_name_H-M_alt 'F d -3 m:1'", "0"),
        ("_space_group_name_H-M_alt 'F d -3 m:2'", ".125"),
        ("_symmetry_space_group_name_H-M 'F d -3 m S'", "0"),
        ("_symmetry_space_group_name_H-M 'F d -3 m Z'", ".125"),
        ("_symmetry_space_group_name_H-M 'F d -3 m'\n_space_group_name_Hall '-F 4vw 2vw 3'", ".125"),
    ],
)
def test_both_origins_of_diamond_give_its_bond(tmp_path, symmetry, place):
    structure = entry_of(tmp_path, cif(f"C1 C {place} {place} {place} 1\n", symmetry=symmetry, a="3.567")).structure
    assert len(structure) == 8
    distances = structure.distance_matrix[np.triu_indices(8, 1)]
    assert distances.min() == pytest.approx(3.567 * np.sqrt(3) / 4)


@pytest.mark.parametrize("third", ["0.333", "0.3333", "0.333333", "0.33333333"])
def test_a_rounded_third_makes_no_second_atom(tmp_path, third):
    two = f"{1 - float(third):.{len(third) - 2}f}"
    text = (
        "data_x\n_cell_length_a 3.2\n_cell_length_b 3.2\n_cell_length_c 5.2\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 120\n_space_group_IT_number 194\nloop_\n_atom_site_label\n"
        f"_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nMg1 {third} {two} 0.25\n"
    )
    structure = entry_of(tmp_path, text).structure
    np.testing.assert_allclose(np.sort(structure.frac_coords[:, 0]), [1 / 3, 2 / 3], atol=1e-12)


@pytest.mark.parametrize(("group", "seed"), list(product([2, 14, 19, 62, 136, 148, 166, 194, 216, 225], [0, 1])))
def test_symmetry_and_sites_agree_with_ase(tmp_path, group, seed):
    """General positions of ten groups, written by ASE and read by ASE and by us."""
    rng = np.random.default_rng(seed)
    lengths = {True: [7, 7, 7]}.get(group >= 195, [7, 7, 9] if group >= 75 else [7, 8, 9])
    angles = [90, 90, 120 if 143 <= group < 195 else 90]
    atoms = crystal(["Li", "Cl"], rng.uniform(0.02, 0.98, (2, 3)), spacegroup=group, cellpar=[*lengths, *angles])
    rows = "".join(
        f"{symbol}1 {symbol} {' '.join(f'{value:.6f}' for value in atoms.get_scaled_positions()[index])} 1\n"
        for symbol, index in (("Li", 0), ("Cl", len(atoms) // 2))
    )
    text = cif(rows, symmetry=f"_space_group_IT_number {group}")
    for key, value in zip("abc", lengths, strict=True):
        text = text.replace(f"_cell_length_{key} 5.13", f"_cell_length_{key} {value}")
    text = text.replace("_cell_angle_gamma 90", f"_cell_angle_gamma {angles[2]}")
    (tmp_path / "a.cif").write_text(text)
    theirs = ase_read(tmp_path / "a.cif")
    from vitrion_workflows.formats.cif import read

    (entry,) = read(tmp_path / "a.cif")
    assert len(entry.structure) == len(theirs)
    mine, other = (
        np.sort(np.round(np.mod(x, 1), 4) % 1, axis=0)
        for x in (entry.structure.frac_coords, theirs.get_scaled_positions())
    )
    np.testing.assert_allclose(mine, other, atol=2e-4)


def test_more_images_than_a_cell_can_hold_are_refused(tmp_path):
    rows = "".join(f"Li{index} Li {index / 900:.6f} .1 .2 1\n" for index in range(900))
    with pytest.raises(InputError, match="images"):
        entry_of(tmp_path, cif(rows, symmetry=FM3M, a="90"))


@pytest.mark.parametrize(
    ("symmetry", "quantity"),
    [
        (f"{FM3M}\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n", "192"),
        (f"{FM3M}\n_space_group_IT_number 221", "225"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\n-x,-y,-z\n", "x,y,z is missing"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\ny,z,x\n", "z,x,y is missing"),
    ],
)
def test_listed_operations_are_the_whole_group_that_is_named(tmp_path, symmetry, quantity):
    with pytest.raises(InputError, match=quantity):
        entry_of(tmp_path, cif(symmetry=symmetry))


def test_symmetry_that_the_lattice_does_not_have_is_refused(tmp_path):
    tetragonal = cif().replace("_cell_length_c 5.13", "_cell_length_c 6.2")
    with pytest.raises(InputError, match="lattice of"):
        entry_of(tmp_path, tetragonal)


def test_a_number_of_a_group_with_several_settings_is_remarked(tmp_path):
    assert any(
        "P 1 21/c 1" in each for each in entry_of(tmp_path, cif(symmetry="_symmetry_Int_Tables_number 14")).remarks
    )


@pytest.mark.parametrize(
    ("number", "angle", "degrees", "setting"),
    [
        (14, "beta", 101.5, "P 1 21/c 1"),
        (14, "beta", 90.2, "P 1 21/c 1"),
        (15, "beta", 101.5, "C 1 2/c 1"),
        (62, "beta", 90, "P n m a"),
        (14, "gamma", 101.5, None),
        (14, "gamma", 90.2, None),
        (14, "alpha", 89.5, None),
        (5, "alpha", 101.5, None),
        (62, "beta", 90.2, None),
    ],
)
def test_the_lattice_has_the_standard_setting_of_a_number(tmp_path, number, angle, degrees, setting):
    text = cif("Li1 Li .1 .1 .1 1\n", symmetry=f"_space_group_IT_number {number}", a=12.5)
    text = text.replace(f"_cell_angle_{angle} 90", f"_cell_angle_{angle} {degrees}")
    if setting:
        assert any(setting in remark for remark in entry_of(tmp_path, text).remarks)
    else:
        with pytest.raises(InputError, match=f"space group {number} is stated without its setting"):
            entry_of(tmp_path, text)
