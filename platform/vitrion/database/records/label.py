"""Labels: a measured or computed property with its interval, its gates and its method."""

from typing import ClassVar

from pydantic import ConfigDict

from vitrion.database.records.base import Index, Record, index, unique
from vitrion_workflows.schemas import LabelFields, StartRecord, StructureKind


class SourcedLabel(LabelFields):
    """A label with where its number comes from; `LabelFields` holds what was measured.

    Attributes:
        composition: full formula, for a label without a structure.
        potential: what the forces came from: a potential's registry name, a functional, or ``experiment``.
        weights_sha256: identity of the potential's weights, or of the data set that an imported label comes from.
        dataset: data set or file of an imported label.
        source: reference of an imported label.
        source_value, conversion_factor, conversion: the number as it was published, and how it became `value`.
    """

    composition: str | None = None
    potential: str
    weights_sha256: str
    dataset: str | None = None
    source: str | None = None
    source_value: float | None = None
    conversion_factor: float | None = None
    conversion: str | None = None


class ImportedLabel(SourcedLabel):
    """A label from a publication or a data set, for a structure or for a composition only.

    `state` is published, or censored for a bound, or rejected: accepted are labels of a run with gates.

    Attributes:
        record: number of the record in the data set; the seed's place in the key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    record: int


class LabelRecord(SourcedLabel, Record):
    """A stored label; the composition of its structure is repeated here, so that no filter needs a join.

    Attributes:
        key: identity (`vitrion_workflows.schemas.label_key`).
        log10_value: log10 of the value, where it is positive.
        force_r2: `r2` of the force check, where one was made.
        protocol_hash: sha256 of the protocol's JSON, for grouping.
        start: what prepared positions and velocities, for any but an ordinary start.
        superseded_by: key of the label that replaces this one.
    """

    collection: ClassVar[str] = "labels"
    indexes: ClassVar[tuple[Index, ...]] = (
        unique("key"),
        index("property"),
        index("structure_fingerprint"),
        index("formula"),
        index("reduced_formula"),
        index("chemsys", "temperature_K"),
        index("elements"),
        index("potential", "temperature_K"),
        index("temperature_K"),
        index("log10_value"),
        index("value"),
        index("force_r2"),
        index("density_g_cm3"),
        index("mobile_ion_fraction"),
        index("unexpected_bonds"),
        index("state"),
        index("dataset"),
        index("campaign", "cycle"),
        index("arm"),
        index("gate_version"),
        index("superseded_by"),
        index("created_at"),
    )

    key: str
    log10_value: float | None = None
    force_r2: float | None = None
    kind: StructureKind | None = None
    formula: str
    reduced_formula: str
    chemsys: str
    elements: tuple[str, ...]
    isotopes: tuple[str, ...] = ()
    n_atoms: int | None = None
    density_g_cm3: float | None = None
    mobile_ion_fraction: float | None = None
    potential_version: str | None = None
    protocol_hash: str | None = None
    seed: int | None = None
    start: StartRecord | None = None
    job: str | None = None
    flow: str | None = None
    campaign: str | None = None
    cycle: int | None = None
    arm: str | None = None
    superseded_by: str | None = None
