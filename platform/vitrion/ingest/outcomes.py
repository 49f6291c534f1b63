"""The typed outcomes in documents of a JobStore, lists and dictionaries of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from vitrion_models.errors import InputError
from vitrion_workflows.schemas import CellOutcome, LabelOutcome

Outcome = CellOutcome | LabelOutcome

_KINDS: dict[str, type[Outcome]] = {kind.__name__: kind for kind in (CellOutcome, LabelOutcome)}
# Dictionaries without monty's marks (from `model_dump`) are recognised by fields that no other document has.
_OWN_FIELDS: dict[str, frozenset[str]] = {
    "CellOutcome": frozenset({"structure", "fingerprint", "kind", "origin", "accepted", "gates"}),
    "LabelOutcome": frozenset({"structure_fingerprint", "species", "temperature_K", "state", "protocol", "method"}),
}


@dataclass(frozen=True)
class JobOutcome:
    """An outcome and the job it came from.

    Attributes:
        outcome: output of the job.
        job: uuid of the job; None for an outcome given without its job.
        flow: uuid of the outermost flow, if any.
    """

    outcome: Outcome
    job: str | None = None
    flow: str | None = None


@dataclass(frozen=True)
class DamagedOutcome:
    """An outcome that is incomplete, contradicts its schema or has a newer layout."""

    reason: str
    job: str | None = None


def find_outcomes(outputs: Any) -> list[JobOutcome | DamagedOutcome]:
    """Return every outcome, in order.

    Args:
        outputs: outcomes, JobStore documents (``uuid``, ``output``, ``hosts``), or lists and mappings of them.
    """
    return list(_walk(outputs, job=None, flow=None))


def outcomes_in(outputs: Any) -> list[Outcome]:
    """Return the outcomes without their jobs; see `find_outcomes`.

    Raises:
        InputError: an outcome is damaged.
    """
    outcomes = []
    for entry in find_outcomes(outputs):
        if isinstance(entry, DamagedOutcome):
            raise InputError(f"job {entry.job or 'unknown'}: {entry.reason}")
        outcomes.append(entry.outcome)
    return outcomes


def _walk(content: Any, *, job: str | None, flow: str | None) -> Iterator[JobOutcome | DamagedOutcome]:
    if isinstance(content, CellOutcome | LabelOutcome):
        yield JobOutcome(content, job, flow)
    elif isinstance(content, Mapping):
        name = _named(content)
        if name is not None:
            yield _validated(name, content, job, flow)
        elif "uuid" in content and "output" in content:
            hosts = content.get("hosts") or []
            yield from _walk(content["output"], job=str(content["uuid"]), flow=hosts[-1] if hosts else None)
        else:
            for value in content.values():
                yield from _walk(value, job=job, flow=flow)
    elif isinstance(content, Iterable) and not isinstance(content, str | bytes):
        for value in content:
            yield from _walk(value, job=job, flow=flow)


def _named(content: Mapping[str, Any]) -> str | None:
    stated = content.get("@class")
    if stated in _KINDS:
        return str(stated)
    return next((name for name, fields in _OWN_FIELDS.items() if stated is None and fields <= content.keys()), None)


def _validated(name: str, content: Mapping[str, Any], job: str | None, flow: str | None) -> JobOutcome | DamagedOutcome:
    try:
        outcome = _KINDS[name].model_validate({key: _plain(value) for key, value in content.items() if key[:1] != "@"})
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return DamagedOutcome(f"its {name} is damaged ({place}: {first['msg']})", job)
    return JobOutcome(outcome, job, flow)


def _plain(value: Any) -> Any:
    """Return content without monty's marks, which the strict schemas would refuse; a structure keeps its own."""
    if isinstance(value, Mapping):
        if value.get("@class") == "Structure":
            return dict(value)
        return {key: _plain(entry) for key, entry in value.items() if not str(key).startswith("@")}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
