"""The quantity that a label is a value of: labels of several are not averaged, fitted or learned together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic import BaseModel

from vitrion.keys import is_sha256, short_key
from vitrion_models.errors import InputError
from vitrion_workflows.schemas.method import StartKind

EXPERIMENT, IMPORTED, COMPUTED = "experiment", "imported", "computed"
REFERENCE_ARM = "reference"
PUBLISHED = "published"
NATURAL = "natural"
WEAK = "weak"
# Friction slows an ion by about its share of the ion's own, k_B T / m D: some 100 / ps in a melt. Up to this it is
# within a label's error.
WEAK_FRICTION_PER_PS = 5.0
# Another potential has other weights: allowing the one allows the other.
_IMPLIED = {"potential": ("weights_sha256",)}
_MOST_CHOICES = 4  # of one field in a message


class MixtureError(InputError):
    """Labels of several quantities.

    Attributes:
        mixture: the fields that differ, with their values and counts, in words.
        fields: names that `across` would have to hold to allow the mixture; empty where it cannot be allowed.
    """

    def __init__(self, mixture: str, fields: Sequence[str]) -> None:
        """Compose the message for callers of the library; commands word the remedy by their options."""
        across = repr(fields[0]) if len(fields) == 1 else repr(tuple(fields))
        super().__init__(f"{mixture}: choose one{f', or allow several by across={across}' if fields else ''}")
        self.mixture = mixture
        self.fields = tuple(fields)


@dataclass(frozen=True, order=True)
class Quantity:
    """The fields that must be equal for two labels to be values of one quantity (docs/design/mixing.md).

    Temperature, composition and kind of cell are not among them: a quantity depends on them.

    Attributes:
        property: ``tracer_diffusivity``, ``ionic_conductivity`` ...
        source: ``experiment``, ``imported`` (somebody else's simulation) or ``computed`` (a run with a method record).
        species: mobile species.
        isotopes: symbols of the isotopes in the cell, joined by ``+``, or ``natural``; models do not see masses.
        convention: of a diffusivity.
        unit: of the value.
        potential: source of the forces.
        weights_sha256: identity of its weights, or of the data set.
        start: ``own``, or ``equilibrated`` for a run that continues from a cell that another potential equilibrated.
        volume: ``own`` of the cell, or ``scaled`` to that of the run's temperature: activation energies differ.
        thermostat: ``weak``, the Langevin friction where it is strong enough to slow ions, or ``unknown``.
        protocol: time step, frame interval, length and thermostat of the run in one line, or ``unknown``.
        gate_version: version of the gates of the run; ``published`` for values from elsewhere.
    """

    property: str
    source: str
    species: str
    isotopes: str
    convention: str
    unit: str
    potential: str
    weights_sha256: str
    start: str
    volume: str
    thermostat: str
    protocol: str
    gate_version: str

    @classmethod
    def of(cls, label: BaseModel | Mapping[str, Any]) -> Self:
        """Return the quantity of a label, given as a record, a row of a table or a stored document."""
        content = label if isinstance(label, Mapping) else label.model_dump(include=_NEEDED)
        return cls(
            **{name: str(content[name]) for name in _PLAIN},
            isotopes="+".join(content.get("isotopes") or ()) or NATURAL,
            source=_source(content),
            start=_start(content),
            volume=_volume(content),
            thermostat=_thermostat(content.get("protocol") or {}),
            protocol=_protocol(content.get("protocol") or {}),
            gate_version=PUBLISHED if (version := content.get("gate_version")) is None else str(version),
        )

    def __str__(self) -> str:
        """Return the quantity in one line."""
        name = f"{self.property} ({self.convention}, {self.unit}) of {self.species}, {self.source}, by {self.potential}"
        start = "" if self.start == "own" else ", from an equilibrated cell"
        volume = "" if self.volume == "own" else ", at the volume of its temperature"
        return f"{name} {short_key(self.weights_sha256)}{start}{volume}"


_PLAIN = ("property", "species", "convention", "unit", "potential", "weights_sha256")
FIELDS: tuple[str, ...] = tuple(Quantity.__dataclass_fields__)
_NEEDED = {*_PLAIN, "isotopes", "arm", "protocol", "method", "dataset", "gate_version"}
# Fields that a projection needs for `Quantity.of`, and the fields that tell quantities apart when grouped by.
STORED_FIELDS = (*_PLAIN, "isotopes", "arm", "protocol", "method.start", "dataset", "gate_version")
SEPARATING_FIELDS = (*_PLAIN, "isotopes", "arm", "dataset", "protocol_hash", "gate_version")


def quantities(labels: Iterable[BaseModel | Mapping[str, Any]]) -> dict[Quantity, int]:
    """Return the number of labels of each quantity, in the order of the quantities."""
    return dict(sorted(Counter(map(Quantity.of, labels)).items()))


def require_one(
    labels: Iterable[BaseModel | Mapping[str, Any]],
    *,
    across: str | Sequence[str] = (),
    purpose: str = "taken together",
    mixable: bool = True,
) -> Quantity:
    """Return the quantity that all labels are values of.

    Args:
        labels: rows of `Labels.search`, or stored documents.
        across: fields of `Quantity` that may differ; ``potential`` includes the weights.
        purpose: what the labels are used for, for the message.
        mixable: whether the caller offers `across`, for the message.

    Returns:
        The quantity; a field of `across` that differs holds its values, joined by ``+``.

    Raises:
        MixtureError: labels of several quantities; every field that differs is listed with its values and counts.
        InputError: no label, or no such field.
    """
    counted = quantities(labels)
    if not counted:
        raise InputError(f"no labels to be {purpose}")
    allowed = allowed_fields(across)
    differing = {name: choices for name in FIELDS if len(choices := _differing(counted, name)) > 1}
    mixed = [name for name in differing if name not in allowed | _implied(differing)]
    if mixed:
        listed = "; ".join(f"{name} ({list_choices(differing[name])})" for name in mixed)
        mixture = f"{sum(counted.values())} labels to be {purpose} are of more than one {listed}"
        raise MixtureError(mixture, mixed if mixable else ())
    first = next(iter(counted))
    return replace(first, **{name: "+".join(value for value, _ in _choices(counted, name)) for name in allowed})


def allowed_fields(across: str | Sequence[str]) -> frozenset[str]:
    """Return the fields that may differ.

    Raises:
        InputError: `Quantity` has no such field.
    """
    asked = {across} if isinstance(across, str) else set(across)
    unknown = sorted(asked - set(FIELDS))
    if unknown:
        raise InputError(f"labels cannot be mixed across {unknown[0]!r}: choose from {', '.join(FIELDS)}")
    return frozenset(asked | _implied(asked))


def _implied(fields: Iterable[str]) -> set[str]:
    """Return the fields that differ wherever one of these differs."""
    return {implied for name in fields for implied in _IMPLIED.get(name, ())}


def _differing(counted: Mapping[Quantity, int], name: str) -> list[tuple[str, int]]:
    # A published value differs from a run in its source already: allowing that does not mix gate versions.
    return [choice for choice in _choices(counted, name) if (name, choice[0]) != ("gate_version", PUBLISHED)]


def list_choices(choices: Sequence[tuple[str, int]]) -> str:
    """Return values with their counts in words, at most the first four; a sha256 is shortened."""
    shown = choices[:_MOST_CHOICES]
    words = [f"{short_key(value) if is_sha256(value) else value}: {count}" for value, count in shown]
    more = len(choices) - len(shown)
    return ", ".join([*words, f"{more} more"] if more else words)


def _choices(counted: Mapping[Quantity, int], name: str) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for quantity, count in counted.items():
        counts[getattr(quantity, name)] += count
    return sorted(counts.items())


def _source(content: Mapping[str, Any]) -> str:
    if content["potential"] == EXPERIMENT:
        return EXPERIMENT
    return IMPORTED if content.get("dataset") else COMPUTED


def _start_record(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return (content.get("method") or {}).get("start") or {}


def _volume(content: Mapping[str, Any]) -> str:
    return "own" if _start_record(content).get("volume_A3_per_atom") is None else "scaled"


def _start(content: Mapping[str, Any]) -> str:
    prepared = _start_record(content).get("kind") == StartKind.EQUILIBRATED.value
    # Labels that were stored before starts were recorded have the arm of the reference potential.
    return "equilibrated" if prepared or content.get("arm") == REFERENCE_ARM else "own"


def _thermostat(protocol: Mapping[str, Any]) -> str:
    if not protocol:
        return "unknown"
    friction = float(protocol.get("friction_per_ps") or 0.0)
    strong = protocol.get("thermostat") == "langevin" and friction > WEAK_FRICTION_PER_PS
    return f"langevin {friction:g}/ps" if strong else WEAK


def _protocol(protocol: Mapping[str, Any]) -> str:
    if not protocol:
        return "unknown"
    until = (
        f", until {target:g} from {protocol['least_ps']:g} ps"
        if (target := protocol.get("target_log10_stderr"))
        else ""
    )
    return (
        f"{protocol['thermostat']} {protocol['friction_per_ps']:g}/ps, step {protocol['time_step_fs']:g} fs, frames "
        f"{protocol['frame_interval_fs']:g} fs, {protocol['production_ps']:g} ps{until}"
    )
