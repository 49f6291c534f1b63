"""JobStores of jobflow: opening a user's own, and the typed outcomes in documents, lists and dictionaries of one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vitrion_models.errors import InputError
from vitrion_workflows.formats.documents import load_yaml
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


def find_outcomes(outputs: Any) -> list[JobOutcome]:
    """Return every outcome, in order.

    Args:
        outputs: outcomes, JobStore documents (``uuid``, ``output``, ``hosts``), or lists and mappings of them.

    Raises:
        InputError: an outcome is damaged.
    """
    return list(_walk(outputs, job=None, flow=None))


def outcomes_in(outputs: Any) -> list[Outcome]:
    """Return the outcomes without their jobs; see `find_outcomes`."""
    return [entry.outcome for entry in find_outcomes(outputs)]


def _walk(content: Any, *, job: str | None, flow: str | None) -> Iterator[JobOutcome]:
    if isinstance(content, CellOutcome | LabelOutcome):
        yield JobOutcome(content, job, flow)
    elif isinstance(content, Mapping):
        name = _named(content)
        if name is not None:
            yield JobOutcome(_validated(name, content, job), job, flow)
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


def _validated(name: str, content: Mapping[str, Any], job: str | None) -> Outcome:
    try:
        return _KINDS[name].model_validate({key: _plain(value) for key, value in content.items() if key[:1] != "@"})
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"job {job or 'unknown'}: its {name} is damaged ({place}: {first['msg']})") from fault


def _plain(value: Any) -> Any:
    """Return content without monty's marks, which the strict schemas would refuse; a structure keeps its own."""
    if isinstance(value, Mapping):
        if value.get("@class") == "Structure":
            return dict(value)
        return {key: _plain(entry) for key, entry in value.items() if not str(key).startswith("@")}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


LONGEST = 100  # characters of another package's message


def open_job_store(path: Path) -> Any:
    """Return a connected jobflow `JobStore`.

    Args:
        path: YAML or JSON with ``docs_store`` and, if any, ``additional_stores``, as jobflow's documentation has it. A
            store that monty serialised is not read: it could name any class.

    Raises:
        InputError: the file cannot be read, describes no JobStore, or the store cannot be reached.
    """
    from jobflow import JobStore  # noqa: PLC0415 - heavy, and most callers run no jobs

    content = load_yaml(path)
    if not isinstance(content, dict) or "docs_store" not in content:
        raise InputError(f"{path} does not describe a JobStore: give docs_store with its type, as jobflow does")
    try:
        store = JobStore.from_dict_spec(content)
        store.connect()
    except Exception as fault:  # each of maggma's stores has errors of its own
        raise InputError(f"{path}: the store cannot be opened ({type(fault).__name__}: {_line(fault)})") from fault
    return store


def _line(fault: Exception) -> str:
    return " ".join(str(fault).split())[:LONGEST]
