"""Volumes of melts and glasses: which estimate is nearest to AIMD and to measured densities, and the fit of the rule.

Observed volumes are those of the AIMD table (207 compositions at 1000-2500 K) and of the measured densities that the
package brings, without elements (an alloy is denser than its elements). AIMD's salts are denser than nature's: the fits
have an offset for AIMD in each class of compounds. Estimates are the composition, the crystal, zero pressure of NEP89
(volume searches from a random packing), and zero pressure of reference potentials from the frames of these searches.
Each is judged with the compositions left out, alone and together.

    VITRION_DATA_MIRROR=... python benchmarks/volumes.py --results searches.jsonl                 # figures, no search
    ... python benchmarks/volumes.py --results searches.jsonl --searches 60 --temperatures 1000 2000
    ... python benchmarks/volumes.py --results searches.jsonl --table volume_model.json           # the package's file

One JSON line a figure: name, value, unit, baseline, ratio.
"""

import argparse
import gzip
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from aimd import draw, read_table  # noqa: E402
from figures import earlier_lines, figure, keep_line, show  # noqa: E402
from volume_fit import AIMD, FEWEST, BiasFit, CompositionFit, Observation, content, fit_bias, fit_composition  # noqa: E402

from vitrion_models.errors import VitrionError  # noqa: E402
from vitrion_models.system import FloatArray  # noqa: E402
from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.amorphous import relaxed_packing, search_volume  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas import CellProtocol, EstimateSource, VolumePoint  # noqa: E402
from vitrion_workflows.structure.composition import parse_formula  # noqa: E402
from vitrion_workflows.trajectories.trajectory import Trajectory  # noqa: E402
from vitrion_workflows.volumes.composition import REFERENCE_K  # noqa: E402
from vitrion_workflows.volumes.measured import Phase, measured_densities  # noqa: E402
from vitrion_workflows.volumes.reference import ReferencePressures  # noqa: E402
from vitrion_workflows.volumes.rule import weighted_mean  # noqa: E402

PRODUCTION, REFERENCES = "nep89", ("diep", "chgnet")
ATOMS, VOLUME_PS, SEED = 100, 0.4, 20
LARGE_RANGE_K = 150.0  # a melt measured over more counts at both ends
MELT, GLASS = "melt", "glass"
PLACES = [(AIMD, 1000), (AIMD, 1500), (AIMD, 2000), (AIMD, 2500), (AIMD, None), (MELT, None), (GLASS, None)]


def observations(mirror: Path, lines: Sequence[Mapping[str, Any]] = ()) -> list[Observation]:
    """Return the volumes of AIMD, and of measured densities at the ends of large ranges and of searches."""
    searched: dict[str, set[float]] = {}
    for line in lines:
        searched.setdefault(line["formula"], set()).add(float(line["temperature_K"]))
    rows = [
        Observation(row.formula, row.temperature_K, float(np.log(row.aimd_volume_A3_per_atom)), 0.0, AIMD)
        for row in read_table(mirror)
    ]
    for density in measured_densities():
        if len(parse_formula(density.formula)) == 1:
            continue
        low, high = density.temperature_min_K, density.temperature_max_K
        inside = {kelvin for kelvin in searched.get(density.formula, ()) if low <= kelvin <= high}
        for kelvin in sorted({low, *([high] if high - low > LARGE_RANGE_K else []), *inside}):
            volume = density.volume(kelvin)
            if volume is not None:
                ln_volume = float(np.log(volume.volume_A3_per_atom))
                kind = MELT if density.phase is Phase.MELT else GLASS
                rows.append(Observation(density.formula, kelvin, ln_volume, volume.ln_stderr, kind))
    return rows


def search(formula: str, temperature_K: float, production: ForceField, references: list[ForceField]) -> dict[str, Any]:
    """Return the volumes of zero pressure of one melt, or the reason for their absence."""
    begun = time.process_time()
    line: dict[str, Any] = {"formula": formula, "temperature_K": temperature_K, "potential": production.name}
    watches = [ReferencePressures(production, reference) for reference in references]
    try:
        packed = relaxed_packing(formula, production, n_atoms=ATOMS, volume_scale=1.15, seed=SEED)
        protocol = CellProtocol(melt_temperature_K=temperature_K, volume_ps=VOLUME_PS)
        _, record = search_volume(
            packed,
            production,
            protocol=protocol,
            seed=SEED,
            on_run=lambda run, point: record_all(watches, run, point),
        )
    except VitrionError as failure:
        return line | {"message": str(failure)}
    roots = {watch.reference.name: watch.zero_pressure() for watch in watches}
    return line | {
        "volume_A3_per_atom": record.volume_A3 / len(packed),
        "ln_stderr": record.stderr_A3 / record.volume_A3,
        "references": {
            name: None if root is None else [root[0] / len(packed), root[1]] for name, root in roots.items()
        },
        "cpu_seconds": round(time.process_time() - begun, 1),
    }


def record_all(watches: Sequence[ReferencePressures], run: Trajectory, point: VolumePoint) -> None:
    """Add the pressures of all reference potentials at one volume."""
    for watch in watches:
        watch(run, point)


def run_searches(arguments: argparse.Namespace, observed: Sequence[Observation], mirror: Path) -> None:
    """Search the volumes of the first formulas of the draw, and of as many measured melts, that have no result."""
    done = {(line["formula"], line["temperature_K"]) for line in earlier_lines(arguments.results)}
    aimd = draw(read_table(mirror), formulas=arguments.searches, seed=SEED)
    at_hand = {(entry.formula, entry.temperature_K) for entry in observed if entry.kind == AIMD}
    wanted = [(f, k) for k, f in itertools.product(arguments.temperatures, aimd) if (f, k) in at_hand]
    melts = [(entry.formula, entry.temperature_K) for entry in observed if entry.kind == MELT]
    order = np.random.default_rng(SEED).permutation(len(melts))
    wanted += [melts[place] for place in order[: arguments.melts]]
    production, references = potentials.load(PRODUCTION), [potentials.load(name) for name in REFERENCES]
    for formula, kelvin in wanted:
        if (formula, kelvin) not in done:
            line = search(formula, kelvin, production, references)
            keep_line(arguments.results, line)
            print(json.dumps(line), file=sys.stderr, flush=True)


def is_search(line: Mapping[str, Any]) -> bool:
    """Return whether a line, of this benchmark or of aimd.py, holds a volume of zero pressure."""
    return "volume_A3_per_atom" in line and line.get("route", "zero-pressure") == "zero-pressure"


def twins(mirror: Path) -> dict[str, float]:
    """Return the volume per atom, A3, of crystals of the Materials Project by reduced formula."""
    with gzip.open(mirror / "crystals" / "mp_40" / "dev.json.gz", "rt") as stream:
        loaded = json.load(stream)
    volumes: dict[str, list[float]] = {}
    for record in loaded["records"] if isinstance(loaded, dict) else loaded:
        structure = record.get("structure", record)
        volume = abs(float(np.linalg.det(np.array(structure["lattice"])))) / len(structure["species"])
        volumes.setdefault(parse_formula(record["formula"]).reduced_formula, []).append(volume)
    return {name: float(np.median(values)) for name, values in volumes.items()}


class Judgement:
    """Estimates of every observation with its composition left out."""

    def __init__(
        self, observed: Sequence[Observation], lines: Sequence[Mapping[str, Any]], crystals: Mapping[str, float]
    ) -> None:
        """Fit everything.

        Args:
            observed: volumes.
            lines: results of searches.
            crystals: volumes per atom of crystals by reduced formula.
        """
        self.observed = observed
        self.composition: CompositionFit = fit_composition(observed)
        self.biases: dict[tuple[str, str], BiasFit] = {}
        self.raw: dict[tuple[str, str], FloatArray] = {}
        self.residuals: dict[tuple[str, str], FloatArray] = {}
        searched = {(line["formula"], line["temperature_K"]): line for line in lines if is_search(line)}
        found = [searched.get((entry.formula, entry.temperature_K)) for entry in observed]
        self._add(
            (EstimateSource.ZERO_PRESSURE, PRODUCTION),
            [np.nan if line is None else line["volume_A3_per_atom"] for line in found],
        )
        for name in REFERENCES:
            roots = [None if line is None else line.get("references", {}).get(name) for line in found]
            self._add((EstimateSource.REFERENCE, name), [np.nan if root is None else root[0] for root in roots])
        volumes = []
        for entry in observed:
            volume = crystals.get(parse_formula(entry.formula).reduced_formula, np.nan)
            expansion, _ = self.composition.model.ln_expansion(parse_formula(entry.formula))
            volumes.append(volume * np.exp(expansion * (entry.temperature_K - REFERENCE_K)))
        self._add((EstimateSource.TWIN, "crystal"), volumes, with_slope=False)

    def _add(self, source: tuple[str, str], volumes: Sequence[float], *, with_slope: bool = True) -> None:
        ln_ratio = np.log(volumes) - np.array([entry.ln_volume for entry in self.observed])
        places = np.flatnonzero(np.isfinite(ln_ratio))
        if len(places) < FEWEST:
            return
        offsets = np.array(
            [self.composition.aimd_offset[e.chemistry] if e.kind == AIMD else 0.0 for e in self.observed]
        )
        of_nature = (ln_ratio + offsets)[places]
        fit = fit_bias([self.observed[k] for k in places], of_nature, with_slope=with_slope)
        self.biases[source], self.raw[source] = fit, ln_ratio
        self.residuals[source] = np.full(len(self.observed), np.nan)
        self.residuals[source][places] = fit.residuals

    @property
    def sources(self) -> list[tuple[str, str]]:
        """Return composition and every source that was fitted."""
        return [(EstimateSource.COMPOSITION.value, "model"), *self.biases]

    def error(self, source: tuple[str, str]) -> tuple[FloatArray, FloatArray]:
        """Return ln of the expected over the observed volume, compositions left out, and its standard error."""
        if source not in self.biases:
            return -self.composition.residuals, self.composition.stderr
        return self.residuals[source], np.full(len(self.observed), self.biases[source].deviation)

    def correlation(self, first: tuple[str, str], second: tuple[str, str]) -> float:
        """Return the correlation of two sources' errors, each divided by its standard error and clipped at 2.5."""
        a, b = (np.clip(error / stderr, -2.5, 2.5) for error, stderr in map(self.error, (first, second)))
        both = np.isfinite(a) & np.isfinite(b)
        return float(np.clip(np.mean(a[both] * b[both]), 0.0, 0.8)) if both.sum() >= FEWEST else 0.0

    def rule(self, sources: Sequence[tuple[str, str]]) -> tuple[FloatArray, FloatArray]:
        """Return error and standard error of the weighted mean of sources, where all of them are at hand."""
        parts = [self.error(source) for source in sources]
        correlations = np.array([[1.0 if a == b else self.correlation(a, b) for b in sources] for a in sources])
        errors, stderr = np.full(len(self.observed), np.nan), np.full(len(self.observed), np.nan)
        for place in range(len(self.observed)):
            values = np.array([error[place] for error, _ in parts])
            deviation = np.array([part[place] for _, part in parts])
            if np.isfinite(values).all():
                errors[place], stderr[place] = weighted_mean(values, np.outer(deviation, deviation) * correlations)
        return errors, stderr


def figures(judgement: Judgement) -> Iterator[dict[str, Any]]:
    """Yield median and 95th percentile of |ln V / V observed| of each estimate, by kind and temperature."""
    composition, zero = judgement.sources[0], (EstimateSource.ZERO_PRESSURE, PRODUCTION)
    results = {f"{source}_{detail}": judgement.error((source, detail)) for source, detail in judgement.sources}
    results |= {
        f"{source}_{detail}_uncorrected": (raw, np.full(len(raw), np.nan))
        for (source, detail), raw in judgement.raw.items()
    }
    results |= {f"rule_{'+'.join(d for _, d in chosen)}": judgement.rule(chosen) for chosen in combinations(judgement)}
    searched = np.isfinite(judgement.raw[zero]) if zero in judgement.raw else None
    if searched is not None:
        error, stderr = judgement.error(composition)
        results["composition_where_searched"] = (np.where(searched, error, np.nan), stderr)
    for name, (error, stderr) in results.items():
        for kind, kelvin in PLACES:
            places = [
                k
                for k, entry in enumerate(judgement.observed)
                if entry.kind == kind and kelvin in (None, entry.temperature_K) and np.isfinite(error[k])
            ]
            if len(places) < FEWEST:
                continue
            size = np.abs(error[places])
            inside = float(np.mean(size < 1.96 * stderr[places])) if np.isfinite(stderr[places]).all() else None
            yield figure(
                f"volume_{name}_{kind}{'' if kelvin is None else f'_{kelvin}'}",
                float(np.median(size)),
                "ln V",
                None,
                p95=round(float(np.quantile(size, 0.95)), 4),
                mean=round(float(np.median(error[places])), 4),
                inside_95=inside,
                compositions=len({judgement.observed[k].formula for k in places}),
            )


def combinations(judgement: Judgement) -> list[list[tuple[str, str]]]:
    """Return the sets of sources whose weighted mean is judged."""
    composition, *others = [source for source in judgement.sources if source[0] != EstimateSource.TWIN]
    sets = [[composition, other] for other in others]
    sets += [[composition, others[0], other] for other in others[1:]]
    sets += [[others[0], other] for other in others[1:]]
    return [chosen for chosen in sets if len(chosen) > 1]


def table(judgement: Judgement) -> dict[str, Any]:
    """Return the content of `volume_model.json`."""
    sources: dict[str, dict[str, Any]] = {}
    for (source, detail), fit in judgement.biases.items():
        is_potential = source in (EstimateSource.ZERO_PRESSURE, EstimateSource.REFERENCE)
        sources.setdefault(source, {})[detail] = {
            "weights_sha256": potentials.load(detail).weights_sha256 if is_potential else "",
            "by_class": {name: round(value, 4) for name, value in fit.by_class.items()},
            "slope": round(fit.slope, 4),
            "deviation": round(fit.deviation, 4),
        }
    used = [source for source in judgement.sources if source[1] != "chgnet"]
    pairs = {
        "|".join(sorted((str(a[0]), str(b[0])))): round(judgement.correlation(a, b), 3)
        for a, b in itertools.combinations(used, 2)
    }
    return {
        "source": "benchmarks/volumes.py",
        "composition": content(judgement.composition),
        "sources": sources,
        "correlations": pairs,
    }


def main() -> None:
    """Search, judge, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, help="JSON lines, one a search; new ones are added")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="results of aimd.py, whose searches count too")
    parser.add_argument("--searches", type=int, default=0, help="formulas of the AIMD table to search")
    parser.add_argument("--melts", type=int, default=0, help="measured melts to search")
    parser.add_argument("--temperatures", type=int, nargs="+", default=[2000, 1000])
    parser.add_argument("--table", type=Path, help="write the model here, volume_model.json of the package")
    arguments = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if mirror is None:
        print("volumes: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    observed = observations(Path(mirror))
    if arguments.searches or arguments.melts:
        run_searches(arguments, observed, Path(mirror))
    files = [Path(mirror) / "nep89_melts" / "labels.jsonl", *arguments.more, arguments.results]
    lines = [line for file in files for line in earlier_lines(file)]
    judgement = Judgement(observations(Path(mirror), lines), lines, twins(Path(mirror)))
    for line in figures(judgement):
        show(line)
    for name, offset in judgement.composition.aimd_offset.items():
        show(figure(f"volume_aimd_against_measured_{name}", offset, "ln V", 0.0))
    if arguments.table is not None:
        arguments.table.write_text(json.dumps(table(judgement), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
