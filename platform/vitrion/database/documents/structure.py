"""Structures, and their geometry apart from them."""

from typing import Any, ClassVar

import numpy as np
from mongoengine import (
    BooleanField,
    DictField,
    EmbeddedDocumentListField,
    FloatField,
    IntField,
    StringField,
)
from mongoengine.base import BaseField

from vitrion.database.documents.base import VersionedDocument
from vitrion.database.documents.gate import GateDocument
from vitrion_workflows.schemas import Origin, StructureKind


class MatrixField(BaseField):
    """Rows of three finite numbers."""

    def validate(self, value: Any, clean: bool = True) -> None:  # noqa: FBT001, FBT002 - mongoengine's signature
        """Refuse everything else, all numbers at once."""
        del clean
        rows = np.asarray(value)
        if rows.ndim != 2 or rows.shape[1] != 3 or rows.dtype.kind != "f" or not np.isfinite(rows).all():  # noqa: PLR2004
            self.error("rows of three finite numbers are wanted")

    def to_mongo(self, value: Any) -> Any:
        """As it is: lists of floats."""
        return value


class PlainListField(BaseField):
    """A list of values of one plain type, checked in one go: a list for each site is too long for mongoengine's own."""

    def __init__(self, kind: type, **options: Any) -> None:
        """Take the type of the items.

        Args:
            kind: ``str`` or ``dict``.
            options: of every field.
        """
        self._kind = kind
        super().__init__(**options)

    def validate(self, value: Any, clean: bool = True) -> None:  # noqa: FBT001, FBT002 - mongoengine's signature
        """Refuse everything else."""
        del clean
        if not isinstance(value, list) or not all(isinstance(item, self._kind) for item in value):
            self.error(f"a list of {self._kind.__name__} is wanted")

    def to_mongo(self, value: Any) -> Any:
        """As it is."""
        return value


class GeometryDocument(VersionedDocument):
    """Where the atoms are; content-addressed, written before the structure that names it.

    Field names are those of the OPTIMADE structures entry type.

    Attributes:
        fingerprint: identity of the cell.
        lattice_vectors: rows, in Angstrom.
        cartesian_site_positions: in Angstrom, one row a site.
        species_at_sites: name of the species at each site, a key into `species`.
        species: name, chemical_symbols and concentration of each species; several symbols, or a concentration below
            one, make a site disordered.
    """

    meta: ClassVar[dict[str, Any]] = {"collection": "geometries"}

    fingerprint = StringField(required=True)
    lattice_vectors = MatrixField(required=True)
    cartesian_site_positions = MatrixField(required=True)
    species_at_sites = PlainListField(str, required=True)
    species = PlainListField(dict, required=True)


class AliasDocument(VersionedDocument):
    """A second fingerprint of a stored cell: one whose rounding fell on the other side of a boundary.

    Attributes:
        alias: the fingerprint that somebody computed.
        fingerprint: the one the cell is stored under.
    """

    meta: ClassVar[dict[str, Any]] = {"collection": "aliases"}

    alias = StringField(required=True)
    fingerprint = StringField(required=True)


class StructureDocument(VersionedDocument):
    """What people filter, sort and count; small, without coordinates.

    Attributes:
        fingerprint: identity (`vitrion_workflows.schemas.fingerprint`) and key of the geometry.
        marker: a smooth function of the cell that does not depend on the order of the atoms
            (`vitrion.database.repositories.identity.marker`); finds the same cell across a rounding boundary.
        formula: pymatgen's full formula, for example ``Li12 P4 S16``.
        chemsys: element symbols, sorted and joined by ``-``.
        mobile_ion: the mobile species that `mobile_ion_fraction` counts, by atoms.
        charge_imbalance_e: sum of the common oxidation states in elementary charges, where somebody found it.
        parent: fingerprint of the cell it was made from.
        twin: fingerprint of the crystal of the same composition.
        gates: what was measured on the cell, `accepted` whether all passed; a glass or melt without any is not.
        volume_search: how the equilibrium volume of its melt was found (`vitrion_workflows.schemas.VolumeRecord`).
        source: file, data set record or mp-id it was imported from.
        job: uuid of the job that made it.
        model_version: sha256 of the generator that drew it.
    """

    meta: ClassVar[dict[str, Any]] = {"collection": "structures"}

    fingerprint = StringField(required=True)
    marker = FloatField(required=True)
    kind = StringField(required=True, choices=[kind.value for kind in StructureKind])
    origin = StringField(required=True, choices=[origin.value for origin in Origin])
    formula = StringField(required=True)
    reduced_formula = StringField(required=True)
    chemsys = StringField(required=True)
    elements = PlainListField(str, required=True)
    n_elements = IntField(required=True)
    n_atoms = IntField(required=True)
    volume_A3 = FloatField(required=True)
    density_g_cm3 = FloatField(required=True)
    disordered = BooleanField(required=True, default=False)
    mobile_ion = StringField()
    mobile_ion_fraction = FloatField(required=True, default=0.0)
    charge_imbalance_e = FloatField()
    band_gap_eV = FloatField()
    energy_above_hull_eV_per_atom = FloatField()
    energy_eV_per_atom = FloatField()
    pressure_GPa = FloatField()
    quench_rate_K_per_ps = FloatField()
    volume_search = DictField(default=None)
    parent = StringField()
    twin = StringField()
    accepted = BooleanField(required=True, default=True)
    gates = EmbeddedDocumentListField(GateDocument)
    protocol = DictField()
    method = DictField()
    seed = IntField()
    source = StringField()
    dataset = StringField()
    job = StringField()
    flow = StringField()
    model_version = StringField()
    campaign = StringField()
    cycle = IntField()
    wall_seconds = FloatField()
    device = StringField()
