"""Labels: a measured or computed property with its interval, its gates and its method."""

from typing import Any, ClassVar

from mongoengine import DictField, EmbeddedDocumentListField, FloatField, IntField, ListField, StringField

from vitrion.database.documents.base import VersionedDocument
from vitrion.database.documents.gate import GateDocument
from vitrion_workflows.schemas import LabelState


class LabelDocument(VersionedDocument):
    """A label; the composition of its structure is repeated here, so that no filter needs a join.

    Attributes:
        key: identity (`vitrion_workflows.schemas.label_key`).
        structure_fingerprint: the cell, or None for a label that is known for a composition only.
        composition: full formula where there is no structure.
        value: number in `unit`; for a censored label the upper bound.
        log10_value: log10 of the value, where it is positive.
        potential: what the forces came from: a potential's registry name, a functional, or ``experiment``.
        protocol_hash: sha256 of the protocol's JSON, for grouping.
        weights_sha256: identity of the potential's weights, or of the data set an imported label comes from.
        source_value, conversion_factor, conversion: the number as it was published, and how it became `value`.
        start: what prepared positions and velocities (`vitrion_workflows.schemas.StartRecord`), for any but an
            ordinary start.
        gate_version: version of the quality gates of a run's label (`vitrion_workflows.schemas.label.GATE_VERSION`);
            None for values from elsewhere.
        superseded_by: key of the label that replaces this one.
    """

    meta: ClassVar[dict[str, Any]] = {"collection": "labels"}

    key = StringField(required=True)
    property = StringField(required=True)
    convention = StringField(required=True)
    unit = StringField(required=True)
    species = StringField(required=True)
    temperature_K = FloatField(required=True, min_value=0.0)
    state = StringField(required=True, choices=[state.value for state in LabelState])
    value = FloatField()
    log10_value = FloatField()
    log10_stderr = FloatField()
    interval_68 = ListField(FloatField())
    interval_95 = ListField(FloatField())
    n_eff = FloatField()
    exponent = FloatField()
    exponent_stderr = FloatField()
    haven_ratio = FloatField()
    drift_A = FloatField()
    fit_window_ps = ListField(FloatField())
    equilibration_ps = FloatField()
    production_ps = FloatField()
    stopped = StringField()
    mean_temperature_K = FloatField()
    framework_state = StringField()
    msd = DictField()
    motion = DictField()
    gates = EmbeddedDocumentListField(GateDocument)
    gate_version = IntField()
    structure_fingerprint = StringField()
    composition = StringField()
    kind = StringField()
    formula = StringField(required=True)
    reduced_formula = StringField(required=True)
    chemsys = StringField(required=True)
    elements = ListField(StringField(), required=True)
    n_atoms = IntField()
    density_g_cm3 = FloatField()
    mobile_ion_fraction = FloatField()
    potential = StringField(required=True)
    potential_version = StringField()
    weights_sha256 = StringField(required=True)
    protocol = DictField()
    protocol_hash = StringField()
    method = DictField()
    seed = IntField()
    start = DictField(default=None)
    job = StringField()
    flow = StringField()
    campaign = StringField()
    cycle = IntField()
    arm = StringField()
    dataset = StringField()
    source = StringField()
    source_value = FloatField()
    conversion_factor = FloatField()
    conversion = StringField()
    trajectory_sha256 = StringField()
    wall_seconds = FloatField()
    device = StringField()
    superseded_by = StringField()
