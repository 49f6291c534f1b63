"""HDF5 within bounds: ordinary files are opened, those that reach into others or declare what they lack are not."""

import h5py
import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_workflows.formats.hdf5 import open_hdf5


def _external_link(file):
    file["g/linked"] = h5py.ExternalLink("other.h5", "/secret")


def _virtual(file):
    layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
    layout[:] = h5py.VirtualSource("other.h5", "secret", shape=(4,))
    file.create_virtual_dataset("v", layout)


def _external_storage(file):
    file.create_dataset("e", (4,), dtype="f8", external=[("other.raw", 0, 32)])


def _declared(file):
    file.create_dataset("x", (10**9, 2, 3), dtype="f8", chunks=(100, 2, 3))


def _many(file):
    for number in range(10_001):
        file.create_group(f"g/{number}")


@pytest.mark.parametrize("make", [_external_link, _virtual, _external_storage, _declared, _many])
def test_a_file_beyond_the_bounds_is_refused(tmp_path, make):
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as file:
        make(file)
    with pytest.raises(InputError, match=r"run\.h5: "), open_hdf5(path):
        pass


def test_what_is_packed_well_is_read(tmp_path):
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=np.zeros((1000, 100, 3), dtype=np.int8), compression="gzip")
        file["again"] = h5py.SoftLink("/images")
    with open_hdf5(path) as file:
        assert not file["again"][:].any()


@pytest.mark.parametrize("kept", [10, 600, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path, kept):
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(1000.0)
    content = path.read_bytes()
    path.write_bytes(content[: kept if kept > 1 else int(kept * len(content))])
    with pytest.raises(InputError, match="HDF5"), open_hdf5(path):
        pass
