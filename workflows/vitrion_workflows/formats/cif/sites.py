"""Sites of a CIF: each row of the loop is an atom or a declared vacancy, or the file is refused."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import gemmi
import numpy as np
from scipy.spatial import cKDTree

from vitrion_models.bounds import MOST_SYMMETRY_SITES
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.cif.symmetry import ON_ONE_POINT, Operations
from vitrion_workflows.formats.occupancies import FULL_OCCUPANCY, Occupancies, combine
from vitrion_workflows.formats.species import SpeciesName, parse_label, parse_species

FIRST_COORDINATE = "_atom_site_fract_x"
COORDINATES = (FIRST_COORDINATE, "_atom_site_fract_y", "_atom_site_fract_z")
LABEL, TYPE, OCCUPANCY = "_atom_site_label", "_atom_site_type_symbol", "_atom_site_occupancy"
HYDROGENS, ORIGIN = "_atom_site_attached_hydrogens", "_atom_site_calc_flag"
DUMMY = "dum"
MOST_ON_ONE_POINT = 50  # a high-entropy alloy has ten elements on a site
LABELS_SHOWN = 4
SIXTHS = 6
FEWEST_DECIMALS = 3
LAST_DIGIT = 0.7  # a third is written 0.3333, two thirds 0.6667 or, cut off, 0.6666


@dataclass(frozen=True, eq=False)
class Site:
    """One row of the loop of atom sites.

    Attributes:
        label: of the site.
        species: it names.
        position: fractional coordinates, shape (3,).
        occupancy: between 0 and `FULL_OCCUPANCY`.
        ideal_position: position with 0.3333 and its like as thirds and sixths.
    """

    label: str
    species: SpeciesName
    position: FloatArray
    occupancy: float
    ideal_position: FloatArray


@dataclass(frozen=True, eq=False)
class SharedSite:
    """Position with everything that occupies it.

    Attributes:
        label: of the last site of the file on it.
        occupancies: of each element, isotope or ion.
        images: by symmetry, shape (K, 3).
    """

    label: str
    occupancies: Occupancies
    images: FloatArray


def read_sites(block: gemmi.cif.Block, remarks: list[str]) -> list[Site]:
    """Return the rows of the loop of atom sites.

    Args:
        block: data block.
        remarks: receives one for an oxidation number that is no number.

    Raises:
        InputError: a row that names no element, isotope or vacancy, has no position, an impossible or unknown
            occupancy, or hydrogen atoms that have no site.
    """
    table = block.find(FIRST_COORDINATE.removesuffix("fract_x"), [_optional(tag) for tag in _TAGS])
    if not table:
        raise InputError(f"its atoms have no three coordinates in one loop ({', '.join(COORDINATES)})")
    if not any(table.has_column(_TAGS.index(tag)) for tag in (LABEL, TYPE)):
        raise InputError(f"its atoms have no names ({LABEL} or {TYPE} is missing)")
    charges = _oxidation_numbers(block, remarks)
    sites = []
    for index, row in enumerate(table, start=1):
        words = {tag: row.get(column) for column, tag in enumerate(_TAGS)}
        label = gemmi.cif.as_string(words[LABEL] or "") or f"number {index}"
        try:
            sites.append(_site(label, words, charges))
        except InputError as error:
            raise InputError(f"site {label}: {error}") from error
    return sites


_TAGS = (*COORDINATES, LABEL, TYPE, OCCUPANCY, HYDROGENS, ORIGIN)  # gemmi wants the first to be there


def _optional(tag: str) -> str:
    short = tag.removeprefix("_atom_site_")
    return short if tag in COORDINATES else f"?{short}"


def _site(label: str, words: Mapping[str, str | None], charges: Mapping[str, float]) -> Site:
    if gemmi.cif.as_string(words[ORIGIN] or "") == DUMMY:
        raise InputError(f"a dummy atom ({ORIGIN} is {DUMMY}): remove it")
    hydrogens = words[HYDROGENS] or "."
    if not gemmi.cif.is_null(hydrogens) and gemmi.cif.as_number(hydrogens) != 0:
        raise InputError(f"its {hydrogens} hydrogen atoms have no site of their own: add them")
    texts = [words[tag] or "?" for tag in COORDINATES]
    position = np.array([gemmi.cif.as_number(text) for text in texts])
    if not np.isfinite(position).all():
        raise InputError(f"the coordinates {' '.join(texts)} are not finite numbers")
    ideal = np.array([_ideal(value, text) for value, text in zip(position.tolist(), texts, strict=True)])
    return Site(label, _species(label, words[TYPE], charges), position, _occupancy(words[OCCUPANCY]), ideal)


def _species(label: str, type_symbol: str | None, charges: Mapping[str, float]) -> SpeciesName:
    if type_symbol is None or gemmi.cif.is_null(type_symbol):
        return parse_label(label)
    word = gemmi.cif.as_string(type_symbol)
    # Some programs write the label, Li1, in the column of types.
    species = parse_label(word) if word[-1:].isdecimal() else parse_species(word)
    charge = charges.get(word, charges.get(species.symbol, species.charge_e))
    return replace(species, charge_e=charge)


def _occupancy(text: str | None) -> float:
    if text is None or text == ".":
        return 1.0  # default of the dictionary
    value = gemmi.cif.as_number(text)
    if not 0 < value <= FULL_OCCUPANCY:
        raise InputError(f"its occupancy is {text}: give a number above 0 and up to 1, or remove the site")
    return value


def _ideal(value: float, text: str) -> float:
    """Return the sixth that a coordinate is rounded from, else the coordinate."""
    # A coordinate with a standard uncertainty is no special position.
    decimals = len(text.partition(".")[2]) if "(" not in text else 0
    nearest = round(value * SIXTHS) / SIXTHS
    is_rounded = decimals >= FEWEST_DECIMALS and abs(value - nearest) < LAST_DIGIT * 10.0**-decimals
    return nearest if is_rounded else value


def _oxidation_numbers(block: gemmi.cif.Block, remarks: list[str]) -> dict[str, float]:
    """Return the oxidation numbers of the loop of atom types, by type symbol and by element."""
    table = block.find("_atom_type_", ["symbol", "oxidation_number"])
    charges: dict[str, float] = {}
    for row in table:
        word, charge = gemmi.cif.as_string(row[0]), gemmi.cif.as_number(row[1])
        if math.isfinite(charge):
            charges[word] = charge
        elif not gemmi.cif.is_null(row[1]):
            remarks.append(f"oxidation number {row[1]} of {word} is not a number and is left out")
    return charges


def share_positions(sites: Sequence[Site], operations: Operations, remarks: list[str]) -> list[SharedSite]:
    """Return the positions of the cell, those of sites that lie on one point as one.

    Args:
        sites: rows of the file.
        operations: symmetry of the cell.
        remarks: receives one for coordinates that are taken as thirds, occupancies that are scaled down, and sites
            that are only vacant.

    Raises:
        InputError: occupancies of one position add up to more than one, or more images than `MOST_SYMMETRY_SITES`.
    """
    if len(operations) > 1 and len(sites) * len(operations) > MOST_SYMMETRY_SITES:
        raise InputError(
            f"{len(sites)} sites under {len(operations)} symmetry operations have more than {MOST_SYMMETRY_SITES} "
            "images, more than is read"
        )
    has_symmetry = len(operations) > 1  # a glass has no thirds
    positions = [site.ideal_position if has_symmetry else site.position for site in sites]
    if has_symmetry and (rounded := [s.label for s in sites if (s.position != s.ideal_position).any()]):
        remarks.append(f"coordinates of {len(rounded)} sites ({rounded[0]} first) are taken as the nearest sixths")
    orbits = [operations.images(position) for position in positions]
    members: defaultdict[int, list[Site]] = defaultdict(list)
    for site, owner in zip(sites, _owners(orbits), strict=True):
        members[owner].append(site)
    shared = [SharedSite(group[-1].label, _together(group, remarks), orbits[owner]) for owner, group in members.items()]
    return [site for site in shared if site.occupancies]


def _owners(orbits: Sequence[FloatArray]) -> list[int]:
    """Return for each orbit the first one that shares its position."""
    points = np.mod(np.concatenate(orbits), 1.0)
    orbit_of = np.repeat(np.arange(len(orbits)), [len(orbit) for orbit in orbits])
    tree = cKDTree(points, boxsize=1.0)
    first_images = np.mod(np.array([orbit[0] for orbit in orbits]), 1.0)
    crowd = tree.query_ball_point(first_images, ON_ONE_POINT, p=np.inf, return_length=True)
    if (most := int(crowd.max())) > MOST_ON_ONE_POINT:
        raise InputError(f"{most} sites lie on one position: at most {MOST_ON_ONE_POINT} share one")
    near = tree.query_ball_point(first_images, ON_ONE_POINT, p=np.inf)
    owners: list[int] = []
    for index, neighbours in enumerate(near):
        first = int(orbit_of[neighbours].min())
        owners.append(index if first >= index else owners[first])
    return owners


def _together(group: Sequence[Site], remarks: list[str]) -> Occupancies:
    labels = ", ".join([site.label for site in group[:LABELS_SHOWN]] + ["..."] * (len(group) > LABELS_SHOWN))
    parts = [(site.species, site.occupancy) for site in group]
    occupancies = combine(parts, place=f"site {labels}", remarks=remarks)
    if not occupancies:
        remarks.append(f"{labels} is a vacancy only and holds no atom")
    return occupancies
