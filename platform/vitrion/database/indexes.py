"""The indexes, and the queries that each of them serves."""

from dataclasses import dataclass

ASCENDING = 1
DESCENDING = -1

JOBS_COLLECTION = "outputs"
META_COLLECTION = "vitrion"


@dataclass(frozen=True)
class Index:
    """An index of one collection.

    Attributes:
        keys: fields with their directions.
        unique: whether it is the identity of the document.
    """

    keys: tuple[tuple[str, int], ...]
    unique: bool = False

    @property
    def name(self) -> str:
        """MongoDB's own name for it."""
        return "_".join(f"{field}_{direction}" for field, direction in self.keys)


def _unique(*fields: str) -> Index:
    return Index(tuple((field, ASCENDING) for field in fields), unique=True)


def _on(*fields: str) -> Index:
    # Results are paged in the order of insertion unless another is asked for, which ends in it too.
    return Index(tuple((field, ASCENDING) for field in (*fields, "_id")))


INDEXES: dict[str, tuple[Index, ...]] = {
    "geometries": (_unique("fingerprint"),),
    "aliases": (_unique("alias"),),
    "structures": (
        _unique("fingerprint"),
        _on("formula", "marker"),
        _on("reduced_formula"),
        _on("chemsys"),
        _on("elements"),
        _on("kind", "density_g_cm3"),
        _on("density_g_cm3"),
        _on("mobile_ion_fraction"),
        _on("n_atoms"),
        _on("disordered"),
        _on("accepted"),
        _on("twin"),
        _on("parent"),
        _on("origin"),
        _on("dataset"),
        _on("campaign", "cycle"),
        _on("created_at"),
    ),
    "labels": (
        _unique("key"),
        _on("property"),
        _on("structure_fingerprint"),
        _on("formula"),
        _on("reduced_formula"),
        _on("chemsys", "temperature_K"),
        _on("elements"),
        _on("potential", "temperature_K"),
        _on("temperature_K"),
        _on("log10_value"),
        _on("value"),
        _on("density_g_cm3"),
        _on("mobile_ion_fraction"),
        _on("state"),
        _on("dataset"),
        _on("campaign", "cycle"),
        _on("arm"),
        _on("gate_version"),
        _on("superseded_by"),
        _on("created_at"),
    ),
    "datasets": (_unique("name", "sha256"),),
    "models": (_unique("artefact_sha256"), _on("campaign", "kind"), _on("kind")),
    "campaigns": (_unique("name"),),
    "cycles": (_unique("campaign", "index"),),
    # jobflow resolves references by {uuid, index}: without this index each one scans.
    JOBS_COLLECTION: (Index((("uuid", ASCENDING), ("index", DESCENDING))),),
}


def named_index(collection: str, first: str | None) -> Index | None:
    """The index of a collection that begins with a field; None for None.

    Raises:
        KeyError: there is none.
    """
    if first is None:
        return None
    for index in INDEXES[collection]:
        if index.keys[0][0] == first:
            return index
    raise KeyError(f"no index of {collection} begins with {first}")
