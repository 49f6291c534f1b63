"""Structures, and their geometry apart from them."""

from typing import Any, ClassVar

from vitrion.database.records.base import Index, Record, index, unique
from vitrion_workflows.schemas import CellFields, VolumeRecord


class GeometryRecord(Record):
    """Positions of the atoms; content-addressed, written before the structure that names it.

    Field names are those of the OPTIMADE structures entry type.

    Attributes:
        fingerprint: identity of the cell.
        lattice_vectors: rows, in Angstrom, shape (3, 3).
        cartesian_site_positions: in Angstrom, shape (N, 3).
        species_at_sites: name of the species at each site, a key into `species`.
        arrays_sha256: artefact with the positions and species of the sites, in place of the two fields above, for a
            large cell (`vitrion.database.repositories.geometries`).
        species: name, chemical_symbols and concentration of each species; several symbols, or a concentration below
            one, make a site disordered. Species with isotopes have the mass of each symbol in u.
    """

    collection: ClassVar[str] = "geometries"
    indexes: ClassVar[tuple[Index, ...]] = (unique("fingerprint"),)

    fingerprint: str
    lattice_vectors: tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
    cartesian_site_positions: tuple[tuple[float, float, float], ...] | None = None
    species_at_sites: tuple[str, ...] | None = None
    arrays_sha256: str | None = None
    species: tuple[dict[str, Any], ...]


class AliasRecord(Record):
    """A second fingerprint of a stored cell, whose coordinates were rounded to the other side of a grid boundary.

    Attributes:
        alias: the fingerprint as computed from the second description of the cell.
        fingerprint: the one that the cell is stored under.
    """

    collection: ClassVar[str] = "aliases"
    indexes: ClassVar[tuple[Index, ...]] = (unique("alias"),)

    alias: str
    fingerprint: str


class StructureRecord(CellFields, Record):
    """A structure without coordinates: what queries filter, sort and count.

    Attributes:
        fingerprint: identity (`vitrion_workflows.schemas.fingerprint`) and key of the geometry.
        marker: a smooth function of the cell, independent of the order of the atoms
            (`vitrion.database.repositories.new_structures.marker`); finds stored cells that may be the same.
        formula: pymatgen's full formula, for example ``Li12 P4 S16``, with D and T for isotopes of hydrogen.
        chemsys: element symbols, sorted and joined by ``-``; isotopes count as their element.
        isotopes: symbols of isotopes in it, as in its geometry: ``D``, ``T``, ``Li@6.015``; elements of standard weight
            are not among them.
        mobile_ion: the mobile species that `mobile_ion_fraction` counts, by atoms.
        charge_imbalance_e: sum of the common oxidation states in elementary charges, where it was computed.
        parent: fingerprint of the cell it was made from.
        twin: fingerprint of the crystal of the same composition.
        accepted: whether all gates passed; a glass or melt without gates is not accepted.
        reference_force_eV_per_A: greatest force of the reference potential on the cell, where its forces were checked.
        volume_search: search of the equilibrium volume of its melt.
        source: file, data set record or mp-id it was imported from.
        remarks: what the reader of the file left out or assumed, and the method of an energy that the file states.
        job: uuid of the job that made it.
    """

    collection: ClassVar[str] = "structures"
    indexes: ClassVar[tuple[Index, ...]] = (
        unique("fingerprint"),
        index("formula", "marker"),
        index("reduced_formula"),
        index("chemsys"),
        index("elements"),
        index("kind", "density_g_cm3"),
        index("density_g_cm3"),
        index("mobile_ion_fraction"),
        index("unexpected_bonds"),
        index("reference_force_eV_per_A"),
        index("n_atoms"),
        index("disordered"),
        index("accepted"),
        index("twin"),
        index("parent"),
        index("origin"),
        index("dataset"),
        index("campaign", "cycle"),
        index("created_at"),
    )

    fingerprint: str
    marker: float
    formula: str
    reduced_formula: str
    chemsys: str
    elements: tuple[str, ...]
    isotopes: tuple[str, ...] = ()
    n_elements: int
    n_atoms: int
    volume_A3: float
    disordered: bool = False
    mobile_ion: str | None = None
    mobile_ion_fraction: float = 0.0
    charge_imbalance_e: float | None = None
    band_gap_eV: float | None = None
    energy_above_hull_eV_per_atom: float | None = None
    reference_force_eV_per_A: float | None = None
    volume_search: VolumeRecord | None = None
    parent: str | None = None
    twin: str | None = None
    source: str | None = None
    remarks: tuple[str, ...] = ()
    dataset: str | None = None
    job: str | None = None
    flow: str | None = None
    campaign: str | None = None
    cycle: int | None = None
