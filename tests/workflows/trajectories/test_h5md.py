from dataclasses import replace

import h5py
import numpy as np
import pytest
from ase.data import chemical_symbols
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from model_force_fields import FreeParticles, scattered
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows import dynamics
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.trajectory import Trajectory


def example(frames=5, *, edge_A=7.0):
    generator = np.random.default_rng(0)
    return Trajectory(
        numbers=np.array([3, 17, 8]),
        positions_A=generator.normal(scale=20, size=(frames, 3, 3)),
        lattice_A=np.array([[edge_A, 0, 0], [1.0, edge_A, 0], [0, 0.5, edge_A]]),
        frame_interval_ps=0.02,
        temperatures_K=generator.uniform(200, 400, frames),
        potential_energies_eV=generator.normal(size=frames),
        masses_u=np.array([6.94, 35.45, 15.999]),
    )


def test_round_trip_is_bitwise(tmp_path):
    written = example()
    read = h5md.read(h5md.write(tmp_path / "a" / "t.h5", written))
    for name in ("numbers", "positions_A", "lattice_A", "temperatures_K", "potential_energies_eV", "masses_u"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    assert read.frame_interval_ps == written.frame_interval_ps
    assert read.source == str(tmp_path / "a" / "t.h5")


@settings(max_examples=25, deadline=None)
@given(
    positions=st_numpy.arrays(
        np.float64,
        st.tuples(st.integers(2, 6), st.integers(1, 4), st.just(3)),
        elements=st.floats(-1e6, 1e6, allow_nan=False),
    ),
    interval_ps=st.floats(1e-5, 10),
)
def test_any_trajectory_survives(tmp_path_factory, positions, interval_ps):
    path = tmp_path_factory.mktemp("h5") / "t.h5"
    written = Trajectory(np.full(positions.shape[1], 3), positions, np.eye(3) * 5, interval_ps)
    read = h5md.read(h5md.write(path, written))
    np.testing.assert_array_equal(read.positions_A, positions)
    assert read.frame_interval_ps == interval_ps
    assert read.temperatures_K is None


def test_layout_is_h5md(tmp_path):
    # Paths, attributes and hard links as in the H5MD 1.1 specification.
    path = h5md.write(tmp_path / "t.h5", example(), steps_per_frame=10, provenance={"seed": 4})
    with h5py.File(path) as file:
        assert file["h5md"].attrs["version"].tolist() == [1, 1]
        assert file["h5md/creator"].attrs["name"] == "vitrion"
        assert "name" in file["h5md/author"].attrs
        group = file["particles/all"]
        assert group["position/value"].shape == (5, 3, 3)
        assert group["position/value"].attrs["unit"] == "Angstrom"
        assert group["position/step"][:].tolist() == [0, 10, 20, 30, 40]
        np.testing.assert_allclose(group["position/time"][:], np.arange(5) * 0.02)
        assert group["position/time"].attrs["unit"] == "ps"
        assert group["box"].attrs["dimension"] == 3
        assert group["box"].attrs["boundary"].tolist() == ["periodic"] * 3
        assert group["box/edges/value"].shape == (5, 3, 3)
        assert group["box/edges/step"] == group["position/step"]
        assert group["species"][:].tolist() == [3, 17, 8]
        assert file["observables/temperature/value"].shape == (5,)
        assert file["observables/potential_energy/value"].attrs["unit"] == "eV"
    assert h5md.read_provenance(path) == {"seed": 4}


def test_a_run_leaves_its_method_in_the_file(tmp_path):
    plan = dynamics.MDPlan(steps=20, time_step_fs=2.0, temperature_K=300.0, thermostat="nve", frame_every=10, seed=3)
    result = dynamics.run_md(scattered([3] * 4), FreeParticles(), plan, folder=tmp_path)
    record = h5md.read_provenance(result.path)
    assert record["plan"]["seed"] == 3
    assert record["weights_sha256"] == "0" * 64
    assert h5md.read(result.path).frame_interval_ps == pytest.approx(0.02)


def test_image_flags_cuboid_boxes_and_other_units_are_understood(tmp_path):
    # As other programs write it: wrapped positions in nm with images, a fixed box vector, times in fs, time-fixed mass.
    with h5py.File(tmp_path / "t.h5", "w") as file:
        group = file.create_group("particles/ions")
        wrapped = np.array([[[0.1, 0.2, 0.3]], [[0.9, 0.2, 0.3]]])
        group.create_dataset("position/value", data=wrapped).attrs["unit"] = "nm"
        group.create_dataset("position/time", data=np.array([0.0, 20.0])).attrs["unit"] = "fs"
        group.create_dataset("box/edges", data=np.array([1.0, 2.0, 3.0])).attrs["unit"] = "nm"
        group.create_dataset("image/value", data=np.array([[[0, 0, 0]], [[-1, 0, 0]]]))
        group.create_dataset("species", data=[3])
    read = h5md.read(tmp_path / "t.h5")
    np.testing.assert_allclose(read.positions_A[:, 0], [[1, 2, 3], [-1, 2, 3]])
    np.testing.assert_allclose(read.lattice_A, np.diag([10.0, 20, 30]))
    assert read.frame_interval_ps == pytest.approx(0.02)


# What 1 A/ps is in each of them: 1e-3 A/fs, 0.1 nm/ps, 1e-10 m / 1e-12 s = 100 m/s.
@pytest.mark.parametrize(
    ("one_A_per_ps", "units"),
    [
        (1.0, ("Angstrom ps-1", "Angstrom/ps")),
        (1e-3, ("Angstrom fs-1", "Angstrom/fs")),
        (0.1, ("nm ps-1", "nm/ps")),
        (100.0, ("m s-1", "m/s")),
    ],
)
def test_velocities_are_read_in_their_unit(tmp_path, one_A_per_ps, units):
    velocities = np.random.default_rng(1).normal(size=(5, 3, 3))
    for unit in units:
        path = h5md.write(tmp_path / "t.h5", replace(example(), velocities_A_per_ps=velocities))
        with h5py.File(path, "a") as file:
            stored = file["particles/all/velocity/value"]
            stored[:] = velocities * one_A_per_ps
            stored.attrs["unit"] = unit
        np.testing.assert_allclose(h5md.read(path).velocities_A_per_ps, velocities, rtol=1e-12)


@pytest.mark.parametrize(
    ("attributes", "stated"),
    [
        ({"thermostat": "NVT"}, ("", None)),
        ({"thermostat": "NVT", "friction_per_ps": 5.0}, ("", None)),
        ({"thermostat": np.bytes_(b"langevin"), "friction_per_ps": 5.0}, ("langevin", 5.0)),
        ({"thermostat": np.bytes_(b"langevin"), "friction_per_ps": np.array([5.0])}, ("langevin", 5.0)),
        ({"thermostat": np.bytes_(b"\xff")}, ("", None)),
        ({"thermostat": np.array([1, 2])}, ("", None)),
        ({"thermostat": h5py.Empty("f")}, ("", None)),
        ({"thermostat": "langevin"}, ("", None)),
        ({"thermostat": "langevin", "friction_per_ps": "strong"}, ("", None)),
        ({"thermostat": "langevin", "friction_per_ps": -1.0}, ("", None)),
        ({"thermostat": "langevin", "friction_per_ps": np.nan}, ("", None)),
        ({"thermostat": "nve"}, ("nve", None)),
        ({"thermostat": "nve", "friction_per_ps": 5.0}, ("", None)),
        ({"friction_per_ps": 5.0}, ("", None)),
        ({"vitrion": "null"}, ("", None)),
        ({"vitrion": "[1]"}, ("", None)),
        ({"vitrion": "not json"}, ("", None)),
        ({"vitrion": 3}, ("", None)),
        ({"vitrion": '{"plan": "long"}'}, ("", None)),
        ({"vitrion": '{"plan": {"thermostat": ["langevin"], "friction_per_ps": {}}}'}, ("", None)),
        ({"vitrion": np.bytes_(b'{"plan": {"thermostat": "langevin", "friction_per_ps": 2}}')}, ("langevin", 2.0)),
        # A rate belongs to the name beside it.
        ({"vitrion": '{"plan": {"friction_per_ps": 2}}', "thermostat": "langevin"}, ("", None)),
        ({"set_temperature_K": "hot"}, ("", None)),
    ],
    ids=str,
)
def test_attributes_of_others_refuse_no_file(changed, attributes, stated):
    """The format leaves /parameters to the program that writes: what is there and not understood is not stated."""
    path = changed(lambda file: file["parameters"].attrs.update(attributes))
    read = h5md.read(path)
    assert (read.thermostat, read.friction_per_ps) == stated
    assert read.set_temperature_K is None
    assert isinstance(h5md.read_provenance(path), dict)


@pytest.fixture
def changed(tmp_path):
    """A function that writes the example, changes the open file, and returns its path."""

    def write(change, frames=5):
        path = h5md.write(tmp_path / "t.h5", example(frames))
        with h5py.File(path, "a") as file:
            change(file)
        return path

    return write


def replace_dataset(name, data, *, unit=None, dtype=None):
    """Return a change that puts a dataset in the place of a dataset or group."""

    def change(file):
        if name in file:
            del file[name]
        stored = file.create_dataset(name, data=data, dtype=dtype)
        if unit is not None:
            stored.attrs["unit"] = unit

    return change


def records(name, change):
    """Return a change of the values of an observable."""

    def apply(file):
        stored = file[f"observables/{name}/value"]
        stored[:] = change(stored[:])

    return apply


def in_changing_order(file):
    numbers = np.tile(example().numbers, (5, 1))
    numbers[2] = np.roll(numbers[2], 1)
    del file["particles/all/species"]
    file["particles/all"].create_dataset("species/value", data=numbers)


def in_two_groups(file):
    file.move("particles/all", "particles/b_part")
    file.copy("particles/b_part", "particles/a_part")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda f: f["particles/all/position/time"].write_direct(np.array([0, 0.02, 0.04, 0.08, 0.1])), "missing"),
        (lambda f: f["particles/all/position/time"].write_direct(np.array([0, 0.02, 0.02, 0.04, 0.06])), "repeated"),
        (
            lambda f: f["particles/all/box/edges/value"].write_direct(np.eye(3) * np.arange(5, 10)[:, None, None]),
            "cell",
        ),
        (lambda f: f["particles/all/position/time"].attrs.modify("unit", "weeks"), "weeks"),
        (lambda f: f["particles/all/position/value"].attrs.pop("unit"), "unit None"),
        (lambda f: f.pop("particles"), "particles"),
        (lambda f: f["particles/all"].pop("box"), "box"),
        (lambda f: f["particles/all/box"].attrs.modify("boundary", ["periodic", "periodic", "none"]), "along c"),
        (lambda f: f["particles/all/box"].attrs.create("boundary", "none"), "along a, b, c"),
        (lambda f: f["particles/all/box"].attrs.modify("boundary", ["open"] * 3), "'open'"),
        (lambda f: f["particles/all"].pop("species"), "species"),
        (lambda f: f["particles/all/position"].pop("time"), "state the frame interval"),
        (replace_dataset("particles/all/position/value", np.ones((1, 3, 3)), unit="Angstrom"), "two frames"),
        (
            replace_dataset("particles/all/species", [1, 1, 1], dtype=h5py.enum_dtype({"water": 1}, basetype="i4")),
            "'water'",
        ),
        (in_changing_order, "changes"),
        (in_two_groups, r"groups .*\(a_part, b_part\)"),
        (replace_dataset("particles/all/image/value", np.zeros((2, 3, 3), dtype=int)), "image .*2 frames.*5"),
        # Records that are none: energies that nobody recorded and that stood still, a division by zero.
        (records("temperature", lambda series: series * np.nan), "temperatures_K"),
        (records("temperature", lambda series: series * 0), "temperatures_K"),
        (records("temperature", lambda series: series - 1e4), "temperatures_K"),
        (
            records("potential_energy", lambda series: np.where(series == series[0], np.inf, series)),
            "potential_energies_eV",
        ),
        (lambda f: f["observables/temperature/value"].attrs.modify("unit", "degC"), "degC"),
    ],
)
def test_files_that_cannot_be_trusted_are_refused_in_one_line(changed, change, word):
    path = changed(change)
    with error_in_one_line(InputError, word) as caught:
        h5md.read(path)
    assert str(path) in str(caught.value)


def test_a_torn_file_is_refused(tmp_path):
    path = h5md.write(tmp_path / "t.h5", example(200))
    content = path.read_bytes()
    for keep in (0, 10, len(content) // 2):
        path.write_bytes(content[:keep])
        with pytest.raises(InputError, match=r"t\.h5"):
            h5md.read(path)
    with pytest.raises(InputError, match="such file"):
        h5md.read(tmp_path / "absent.h5")


def test_an_unwritable_place_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        h5md.write(tmp_path / "file" / "t.h5", example())


def breathing(path, *, cuboid, wrapped):
    """A run at constant pressure as other programs write it: the same path in fractions of a cell that breathes."""
    rng = np.random.default_rng(0)
    cell = np.diag([9.0, 8.0, 7.0]) + (0 if cuboid else np.array([[0, 0, 0], [1.0, 0, 0], [0, -1.0, 0]]))
    cells = cell * (1 + 0.02 * np.sin(np.arange(30)))[:, None, None]
    fractional = rng.random((1, 2, 3)) + np.cumsum(rng.normal(scale=0.05, size=(30, 2, 3)), axis=0)
    stored = np.mod(fractional, 1.0) if wrapped else fractional
    with h5py.File(path, "w") as file:
        group = file.create_group("particles/atoms")
        group.create_dataset("position/value", data=stored @ cells).attrs["unit"] = "Angstrom"
        group.create_dataset("position/time", data=0.02 * np.arange(30)).attrs["unit"] = "ps"
        edges = np.array([np.diag(one) for one in cells]) if cuboid else cells
        group.create_dataset("box/edges/value", data=edges).attrs["unit"] = "Angstrom"
        group.create_dataset("species", data=[3, 17])
        if wrapped:
            group.create_dataset("image/value", data=np.round(fractional - stored).astype(int))
    return fractional @ cells.mean(axis=0), np.linalg.det(cells)


@pytest.mark.parametrize("cuboid", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_changing_cell_is_mapped_to_its_mean_as_of_any_format(tmp_path, cuboid, wrapped):
    expected, volumes = breathing(tmp_path / "t.h5", cuboid=cuboid, wrapped=wrapped)
    read = h5md.read(tmp_path / "t.h5")
    np.testing.assert_allclose(read.positions_A, expected, atol=1e-9)
    np.testing.assert_allclose(read.volumes_A3, volumes)


def test_all_atoms_are_read_where_there_are_groups_of_them(changed):
    """The drift is that of all atoms: half of them, the first group by its name, gave another D unsaid."""

    def add_part(file):
        file.copy("particles/all", "particles/a_part")
        del file["particles/a_part/mass"]

    assert h5md.read(changed(add_part)).positions_A.shape == example().positions_A.shape


def test_species_may_be_symbols_or_an_enumeration_of_them(changed):
    """The numbers of an enumeration are no atomic numbers: Li = 8 and O = 3 gave the D of oxygen as that of lithium."""
    numbers = example().numbers
    symbols = [chemical_symbols[number] for number in numbers]
    names = {symbol: 50 - number for number, symbol in zip(numbers.tolist(), symbols, strict=True)}
    for values, dtype in (
        ([names[symbol] for symbol in symbols], h5py.enum_dtype(names, basetype="i4")),
        (symbols, h5py.string_dtype()),
        (np.array(symbols, dtype="S2"), None),
    ):
        path = changed(replace_dataset("particles/all/species", values, dtype=dtype))
        assert h5md.read(path).numbers.tolist() == numbers.tolist()


@pytest.mark.parametrize("start_ps", [0.0, 50.0, 1000.0, 8000.0])
def test_times_in_single_precision_cost_no_precision(changed, start_ps):
    """MDAnalysis stores them so: the first difference of times late in a run is wrong by a part in a thousand."""
    times = (start_ps + 0.02 * np.arange(600)).astype(np.float32)
    path = changed(replace_dataset("particles/all/position/time", times, unit="ps"), frames=600)
    assert h5md.read(path).frame_interval_ps == pytest.approx(0.02, rel=1e-4)
    times[300:] += np.float32(0.02)
    path = changed(replace_dataset("particles/all/position/time", times, unit="ps"), frames=600)
    with pytest.raises(InputError, match="a frame is missing"):
        h5md.read(path)


def test_a_file_without_times_is_read_with_the_interval_stated(changed):
    path = changed(lambda file: file["particles/all/position"].pop("time"))
    assert h5md.read(path, frame_interval_ps=0.05).frame_interval_ps == 0.05
