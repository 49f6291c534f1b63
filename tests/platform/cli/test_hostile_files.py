"""Files made to exhaust, to mislead or to confuse: one line, exit code 2, nothing stored, bounded memory."""

import bz2
import gzip
import json
import lzma
import os
import struct

import h5py
import numpy as np
import pytest
from bounded_runs import LIMIT_BYTES, run_bounded
from refusals import ROCK_SALT_CIF, XDATCAR_HEADER, documents, files

import vitrion
from vitrion.cli.nouns import NOUNS, load
from vitrion.ingest.files import ingest_files

CELL = "".join(line for line in ROCK_SALT_CIF.splitlines(keepends=True) if line.startswith(("data", "_cell")))
SITES = "loop_\n" + "".join(
    f"_atom_site_{name}\n" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
)
EXTXYZ = '2\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3{} pbc="T T T"\nLi 0 0 0\nCl 2.5 2.5 2.5\n'
DUMP = (
    "ITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n0\nITEM: BOX BOUNDS pp pp pp\n0 5\n0 5\n0 5\n"
    "ITEM: ATOMS id element x y z\n"
)
SITE = {"species": [], "abc": [0, 0, 0]}
ANALYZER = {
    "structure": {"sites": [SITE], "lattice": {"matrix": np.eye(3).tolist()}},
    "displacements": [[[0, 0, 0], [0, 0, 0]]],
    "time_step": 1,
    "step_skip": 1,
}
LAUGHS = "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9 if n else ['lol'] * 9)}]\n" for n in range(9))
ENTITIES = (
    '<?xml version="1.0"?>\n<!DOCTYPE modeling [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 9}">' for n in range(1, 10))
    + "]>\n<modeling>&a9;</modeling>\n"
)
FRAME = "Direct configuration= 1\n0.1 0.1 0.1\n0.2 0.2 0.2\n"


def crystal(edge="5.13", *, site="Li1 Li 0 0 0 1"):
    """Return a CIF of two sites, of which the first is given."""
    return f"{CELL.replace('5.13', edge)}{SITES}{site}\nCl1 Cl 0.5 0.5 0.5 1\n"


def many_sites():
    """Return a CIF of 20,000 sites under 192 symmetry operations."""
    operations = "".join(
        f"'{x}x+{i}/4,{y}y+{j}/4,{z}z+{k}/3'\n"
        for x, y, z in np.array(np.meshgrid(*["+-"] * 3)).reshape(3, -1).T
        for i in range(4)
        for j in range(2)
        for k in range(3)
    )
    positions = np.random.default_rng(0).random((20_000, 3))
    rows = "".join(f"Li{n} Li {a:.5f} {b:.5f} {c:.5f} 1\n" for n, (a, b, c) in enumerate(positions))
    return f"{CELL}loop_\n_symmetry_equiv_pos_as_xyz\n{operations}{SITES}{rows}"


def declared_frames(path):
    """Write H5MD that declares a thousand million frames and holds none."""
    with h5py.File(path, "w") as file:
        file.create_dataset("particles/all/position/value", (10**9, 2, 3), dtype="f8", chunks=(100, 2, 3))


def external_link(path):
    """Write H5MD whose positions lie in another file."""
    with h5py.File(path, "w") as file:
        file["particles/all/position/value"] = h5py.ExternalLink("/etc/passwd", "/x")


def sparse(path):
    """Make a file of 6 GiB of zeros that takes no room."""
    path.touch()
    os.truncate(path, 6 * 2**30)


HEADER = b'{"__metadata__": {"manifest": "' + b"[" * 100_000 + b'"}}'
STRUCTURES = {
    "nested.json": "[" * 200_000 + "]" * 200_000,
    "no-species.json": json.dumps({"sites": [SITE], "lattice": {"matrix": (5 * np.eye(3)).tolist()}}),
    "bomb.cif.gz": gzip.compress(b"# comment\n" * 3_000_000),
    "bomb.cif.xz": lzma.compress(b"# comment\n" * 3_000_000),
    "properties.extxyz": EXTXYZ.format(":x:R:1000000000"),
    "count.extxyz": f"{'9' * 5000}\n{EXTXYZ}",
    "long.extxyz": EXTXYZ.replace("5 0 0 0", "5" * 10**6),
    "box.cif": crystal("100000"),
    "endless.cif": crystal("1e300"),
    "tiny.cif": crystal("0.11"),
    "occupancy-nan.cif": crystal(site="Li1 Li 0 0 0 nan"),
    "occupancy-zero.cif": crystal(site="Li1 Li 0 0 0 0"),
    "unicode.cif": crystal(site="Ł1 Łi₃ 0 0 0 1"),
    "orbits.cif": many_sites,
    "\x1b[31mred.cif": "data_x\n",
    "sparse.cif": sparse,
    "sparse.traj": sparse,
    "pipe.cif": os.mkfifo,
    "device.cif": lambda path: path.symlink_to("/dev/zero"),
}
TRAJECTORIES = {
    "count.extxyz": f"{'9' * 5000}\n{EXTXYZ}",
    "laughs-vasprun.xml": ENTITIES,
    "XDATCAR.bz2": bz2.compress(f"{XDATCAR_HEADER}{FRAME * 200_000}".encode()),
    "properties.extxyz": EXTXYZ.format(":x:R:1000000000") * 2,
    "no-atoms.dump": f"{DUMP.format(0)}\n{DUMP.format(1)}\n",
    "no-species.json": json.dumps(ANALYZER),
    "nested.json": "[" * 200_000 + "]" * 200_000,
    "declared.h5": declared_frames,
    "linked.h5": external_link,
    "sparse.h5": sparse,
    "sparse.dump": sparse,
    "XDATCAR_pipe": os.mkfifo,
}
LABELS = {
    "keys.json": json.dumps({f"key{n}": n for n in range(200_000)}),
    "columns.csv": f"{','.join(f'c{n}' for n in range(200_000))}\n{','.join('1' * 200_000)}\n",
    "nested.jsonl": "[" * 200_000,
    "cell.csv": f"a,b\n{'x' * 200_000},1\n",
    "device.csv": lambda path: path.symlink_to("/dev/zero"),
    "pipe.jsonl": os.mkfifo,
}
YAML = {
    "laughs.yaml": LAUGHS + "name: *a8\n",
    "nested.yaml": "[" * 100_000,
    "date.yaml": "name: 2026-13-45\n",
    "digits.yaml": f"seed: {'9' * 5000}\n",
    "long.yaml": f"name: {'x' * 100_000}\n",
    "device.yaml": lambda path: path.symlink_to("/dev/zero"),
}
MODELS = {
    "nested.safetensors": struct.pack("<Q", len(HEADER)) + HEADER,
    "length.safetensors": struct.pack("<Q", 2**62) + b"{}",
    "sparse.safetensors": sparse,
    "device.safetensors": lambda path: path.symlink_to("/dev/zero"),
}
CASES = [
    (words, name, content)
    for words, table in (
        (("ingest", "structures", "{}"), STRUCTURES),
        (("diffusivity", "{}", "--species", "Li", "--frame-interval-ps", "0.1"), TRAJECTORIES),
        (("ingest", "labels", "{}"), LABELS),
        (("campaign", "run", "{}"), YAML),
        (("ingest", "jobs", "{}"), YAML),
        (("predict", "good.cif", "-t", "300", "--model-folder", "{}"), MODELS),
    )
    for name, content in table.items()
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Make a folder with one crystal in its database; import what the commands need, so that forks share it."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRION_HOME", str(folder.parent / "home"))
        patch.delenv("VITRION_DATABASE_URI", raising=False)
        patch.chdir(folder)
        (folder / "good.cif").write_text(ROCK_SALT_CIF)
        with vitrion.connect() as db:
            ingest_files(db, [folder / "good.cif"])
        for noun in NOUNS:
            load(noun)
        yield folder


@pytest.mark.parametrize(("words", "name", "content"), CASES, ids=[f"{words[0]}-{name}" for words, name, _ in CASES])
def test_a_hostile_file_is_refused_within_bounds(desk, words, name, content):
    home = desk.parent / "home"
    path = desk / name
    if callable(content):
        made = content(path) if content is not many_sites else content()
        content = made if isinstance(made, str) else None
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = documents(home)
    try:
        done = run_bounded([word.replace("{}", str(path)) for word in words])
    finally:
        path.unlink()
    assert done.code == 2, done
    assert done.out == "", done
    assert done.err.startswith("vitrion: "), done
    assert done.err.rstrip("\n").isprintable(), done
    assert len(done.err) < 1000, done
    assert done.peak_bytes < LIMIT_BYTES, done
    assert documents(home) == before
    assert not files(desk, without=home).keys() - {"good.cif"}
