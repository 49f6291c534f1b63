"""Tables of `benchmarks/aimd.py` in Markdown: routes one below the other, for docs/design/aimd-comparison.md."""

from collections.abc import Iterator
from typing import Any

from aimd_summary import (
    BALANCED,
    EVERY_FORMULA,
    EVERY_TEMPERATURE,
    activation_energies,
    at_temperature,
    comparisons,
    deviations,
    groups,
    temperatures,
)
from figures import markdown

HEADER = (
    "potential",
    "formulas",
    "K",
    "route",
    "number",
    "median",
    "MAD",
    "central 68 %",
    "rank",
    "volume",
    "force R2",
)
ENERGY_HEADER = ("potential", "formulas", "route", "number", "Ea, eV", "AIMD", "difference", "correlation", "rank")


def tables(lines: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of two tables: log10(D / D_AIMD) of all formulas and of salts, and activation energies."""
    rows, energies = [], []
    for potential in sorted({line["potential"] for line in lines}):
        members = groups(line for line in lines if line["potential"] == potential)
        for group in (EVERY_FORMULA, BALANCED):
            mine = members.get(group, [])
            routes = {
                route: comparisons(line for line in mine if line["route"] == route)
                for route in sorted({line["route"] for line in mine}, reverse=True)
            }
            every = [case for cases in routes.values() for case in cases.values()]
            for temperature in temperatures(every):
                for route, cases in routes.items():
                    chosen = at_temperature(cases, temperature)
                    if chosen and temperature != EVERY_TEMPERATURE:
                        rows.append((potential, group, temperature, route, *_cells(deviations("", chosen))))
            for route, cases in routes.items():
                energies += [(potential, group, route, *_energy_cells(line)) for line in activation_energies("", cases)]
    yield from markdown(HEADER, rows)
    if energies:
        yield ""
        yield from markdown(ENERGY_HEADER, energies)


def _cells(line: dict[str, Any]) -> tuple[str, ...]:
    low, high = line["interval_68"]
    return (
        str(line["formulas"]),
        f"{line['value']:+.2f}",
        f"{line['mad']:.2f}",
        f"{low:+.2f} to {high:+.2f}",
        _optional(line["rank_correlation"]),
        f"{line['volume_ratio']:.2f}",
        _optional(line["force_r2"]),
    )


def _energy_cells(line: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(line["formulas"]),
        f"{line['value']:.3f}",
        f"{line['baseline']:.3f}",
        f"{line['mean_difference']:+.3f} ± {line['difference_deviation']:.3f}",
        f"{line['correlation']:.2f}",
        _optional(line["rank_correlation"]),
    )


def _optional(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
