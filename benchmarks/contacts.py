"""Distances that atoms have: real crystals, frames and glasses refused by contact radii, and planted overlaps found.

Run as ``VITRION_DATA_MIRROR=... python benchmarks/contacts.py``; one JSON line a figure. No radius was fitted: they are
published. The two limits (0.90 at rest, 0.80 at 2500 K) were chosen on the formulas of even checksum; figures of the
others are given apart. Baselines are the rules before, 0.45 and 0.58 of the sum of covalent radii.
"""

import csv
import gzip
import json
import os
import sys
import warnings
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from ase.io import iread
from figures import emit
from gates import glasses, lgps, xdatcar
from pymatgen.core.structure import Structure

from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas.geometry import system_from_atoms, system_from_structure
from vitrion_workflows.structure.contacts import CONTACT_RADII_A, closest_contact, least_ratio

MELT_K = 2500.0
HOT = ("li_p_s", "llzo", "argyrodite", "LGPS", "nep89 melts")
LISTS = {
    "mp_40": "crystals/mp_40/dev.json.gz",
    "jarvis": "spectra/jarvis_phonon_dos/pairs_dev.json.gz",
    "ncrystal": "spectra/ncrystal_vdos/vdos_dev.json.gz",
    "raman": "spectra/raman_ir_crystals/raman_ir_dev.json.gz",
    "dfpt": "spectra/mp_phonon_dos/mp_dfpt_dev.json.gz",
    "2D lead iodides": "perovskites/dj_2d_lead_iodide/dj_dev.json.gz",
    "carbon_24": "crystals/carbon_24/train_0.json.gz",
    "perov_5": "crystals/perov_5/train_0.json.gz",
}
FRAMES = {
    "li_p_s": "structures/li_p_s/test_regularization.extxyz",
    "llzo": "structures/llzo_nep_train/llzo_dev.extxyz.gz",
    "nep89 melts": "nep89_melts/cells.extxyz.gz",
}
SHARES = (0.6, 0.7, 0.75, 0.8, 0.85)


def crystals(mirror: Path) -> Iterator[tuple[str, AtomicSystem]]:
    """Yield crystals with the name of their set."""
    for name, place in LISTS.items():
        content = json.loads(gzip.decompress((mirror / place).read_bytes()))
        for record in content["records"] if isinstance(content, dict) else content:
            cell = record.get("structure", record)
            numbers = np.array([atomic_numbers["H" if symbol == "D" else symbol] for symbol in cell["species"]])
            lattice = np.array(cell["lattice"])
            yield name, AtomicSystem(numbers, np.array(cell["frac"]) @ lattice, lattice)
    with (mirror / "crystals/perov_5/val.csv").open() as stream:
        for row in csv.DictReader(stream):
            yield "perov_5", system_from_structure(Structure.from_str(row["cif"], fmt="cif"))
    with zipfile.ZipFile(mirror / "obelix/all_cifs.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".cif"):
                structure = Structure.from_str(archive.read(name).decode(), fmt="cif")
                if structure.is_ordered:
                    yield "obelix", system_from_structure(structure)


def frames(mirror: Path) -> Iterator[tuple[str, AtomicSystem]]:
    """Yield frames of simulations and glasses with the name of their set."""
    for name, place in FRAMES.items():
        yield from ((name, system_from_atoms(atoms)) for atoms in iread(mirror / place, format="extxyz"))
    yield from ((name, system) for name, system in glasses(mirror) if name not in FRAMES)
    for path in sorted((mirror / "trajectories/argyrodite").glob("*XDATCAR.gz")):
        yield from (("argyrodite", system) for system in xdatcar(path, every=10))
    yield from (("LGPS", system) for system in lgps(mirror / "trajectories/lgps/DiffusionAnalyzer.json"))


def held_out(system: AtomicSystem) -> bool:
    """Return True for every other formula, by its checksum."""
    return bool(zlib.crc32(np.sort(system.numbers).tobytes()) % 2)


def refusals(cells: Iterator[tuple[str, AtomicSystem]]) -> None:
    """Yield the share of real cells that are refused, by set."""
    ratios: dict[str, list[tuple[float, str, bool]]] = defaultdict(list)
    for name, system in cells:
        contact = closest_contact(system)
        if contact is not None:
            ratios[name].append((contact.ratio, str(contact), held_out(system)))
    for name, rows in ratios.items():
        limit = least_ratio(MELT_K if name in HOT else 0.0)
        least = min(rows)
        print(f"# {name}: {len(rows)} cells, closest {least[1]}")
        for half, part in (("", rows), (" (other formulas)", [row for row in rows if row[2]])):
            if part:
                refused = float(np.mean([ratio < limit for ratio, _, _ in part]))
                emit(f"refused: {name}{half}", refused, "share", None)


def detection(mirror: Path) -> None:
    """Yield the share of overlaps found, planted in melts between two atoms of each pair of elements."""
    melts = [system_from_atoms(atoms) for atoms in iread(mirror / FRAMES["nep89 melts"], "::4", format="extxyz")]
    for share in SHARES:
        found: dict[str, list[bool]] = defaultdict(list)
        for system in melts:
            for first, second in element_pairs(system):
                pair_A = float(CONTACT_RADII_A[system.numbers[[first, second]]].sum())
                covalent = share * pair_A / float(covalent_radii[system.numbers[[first, second]]].sum())
                found["at rest"].append(share < least_ratio())
                found["at 2500 K"].append(share < least_ratio(MELT_K))
                found["0.58 of covalent radii"].append(covalent < 0.58)
                found["0.45 of covalent radii"].append(covalent < 0.45)
        for rule, hits in found.items():
            emit(f"found at {share} of the shortest bond, {rule}", float(np.mean(hits)), "share", None)


def element_pairs(system: AtomicSystem) -> Iterator[tuple[int, int]]:
    """Yield one pair of atoms for each pair of elements of a cell, like ones where there are two atoms."""
    elements = np.unique(system.numbers)
    atoms = {number: np.flatnonzero(system.numbers == number) for number in elements}
    for place, first in enumerate(elements):
        for second in elements[place:]:
            if first != second or len(atoms[first]) > 1:
                yield int(atoms[first][0]), int(atoms[second][-1])


def main() -> None:
    """Yield all figures."""
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("contacts: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    warnings.simplefilter("ignore")  # of the parsers of other people's files
    folder = Path(mirror)
    refusals(crystals(folder))
    refusals(frames(folder))
    detection(folder)


if __name__ == "__main__":
    main()
