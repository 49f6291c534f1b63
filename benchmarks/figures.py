"""Figures of benchmarks as JSON lines, tables in Markdown, and the results file of a study that can be killed."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

DIGITS = 6


def figure(name: str, value: float | None, unit: str, baseline: float | None = None, **more: Any) -> dict[str, Any]:
    """Return a figure with its ratio to the baseline, to six digits; null where a number is absent or not finite."""
    shown, base = _shown(value), _shown(baseline)
    ratio = None if shown is None or not base else _shown(shown / base)
    return {"name": name, "value": shown, "unit": unit, "baseline": base, "ratio": ratio, **more}


def emit(name: str, value: float | None, unit: str, baseline: float | None = None, **more: Any) -> None:
    """Print a figure; see `figure`."""
    show(figure(name, value, unit, baseline, **more))


def show(line: Mapping[str, Any]) -> None:
    """Print a line of JSON at once."""
    print(json.dumps(line), flush=True)


def earlier_lines(path: Path | None) -> list[dict[str, Any]]:
    """Read the lines of an earlier session, without a truncated last one."""
    if path is None or not path.is_file():
        return []
    whole = path.read_text().rpartition("\n")[0]
    return [json.loads(text) for text in whole.splitlines()]


def keep_line(path: Path | None, line: Mapping[str, Any]) -> None:
    """Append a line to the results file, where there is one."""
    if path is not None:
        with path.open("a") as stream:
            stream.write(json.dumps(line) + "\n")


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield from ("| " + " | ".join(cells) + " |" for cells in (header, ("---",) * len(header), *rows))


def _shown(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")
