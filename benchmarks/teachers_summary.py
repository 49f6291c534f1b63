"""Figures and tables of `benchmarks/teachers.py`: each potential against AIMD, and students against their teacher."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aimd import identity
from aimd_summary import AT_AIMD_VOLUME
from figures import figure, markdown

STUDENT, TEACHER, TUNED = "student", "diep", "tuned:"
TEMPERATURE_K = 1000
ORDER = ("nep89", "chgnet", "diep", STUDENT)
FEWEST_FOR_DEVIATION = 2
RESOLVED_DECADES = 0.3  # greatest standard error of an estimate that enters


@dataclass(frozen=True)
class Mean:
    """Mean of log10(D / D_AIMD) over seeds, or of formulas' means over a class.

    Attributes:
        value: in decades.
        stderr: standard error, not below the statistical one of the runs.
        count: number of values.
        censored: those whose displacement was not resolved.
    """

    value: float
    stderr: float
    count: int
    censored: int = 0

    def __str__(self) -> str:
        """Return value, standard error and number."""
        censored = f", {self.censored} censored" if self.censored else ""
        return f"{self.value:+.2f} ± {self.stderr:.2f} ({self.count}{censored})"


Labels = dict[tuple[str, str, int], dict[str, Any]]  # by potential, formula and seed


def usable(lines: Sequence[dict[str, Any]]) -> Labels:
    """Return the labels at AIMD's volume and 1000 K that are not rejected and whose estimate is resolved."""
    chosen: Labels = {}
    for line in {identity(line): line for line in lines}.values():
        if line["route"] != AT_AIMD_VOLUME or line["temperature_K"] != TEMPERATURE_K:
            continue
        if line.get("state") in {"accepted", "censored"} and _stderr(line) <= RESOLVED_DECADES:
            chosen[kind(line), line["formula"], line["seed"]] = line
    return chosen


def kind(line: Mapping[str, Any]) -> str:
    """Return the name of the potential of a line, ``student`` for a tuned one."""
    return STUDENT if line["potential"].startswith(TUNED) else str(line["potential"])


def over_seeds(labels: Labels) -> dict[tuple[str, str], Mean]:
    """Return the mean of log10(D / D_AIMD) over seeds for each potential and formula."""
    places = dict.fromkeys((name, formula) for name, formula, _ in labels)
    return {
        (name, formula): _mean([line for key, line in labels.items() if key[:2] == (name, formula)])
        for name, formula in places
    }


def over_formulas(means: Sequence[Mean]) -> Mean:
    """Return the mean over formulas of their means over seeds."""
    values = [mean.value for mean in means]
    error = _error(values, [mean.stderr for mean in means])
    return Mean(float(np.mean(values)), error, len(values), sum(mean.censored > 0 for mean in means))


def differences(labels: Labels) -> dict[str, Mean]:
    """Return log10(D student / D teacher) of each formula, over the seeds that both have."""
    formulas = dict.fromkeys(formula for name, formula, _ in labels if name == STUDENT)
    paired = {formula: _pairs(labels, formula) for formula in formulas}
    return {formula: _mean_difference(pairs) for formula, pairs in paired.items() if pairs}


def chemistries(labels: Labels) -> dict[str, str]:
    """Return the class of anion of each formula, in the order of classes."""
    pairs = {line["formula"]: str(line["chemistry"]) for line in labels.values()}
    return dict(sorted(pairs.items(), key=lambda pair: (pair[1], pair[0])))


def summary(lines: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield log10(D / D_AIMD) of each potential by class and over all, and student minus teacher."""
    labels = usable(lines)
    means, classes = over_seeds(labels), chemistries(labels)
    for name, group, members in _groups(means, classes):
        mean = over_formulas(members)
        rms = math.sqrt(float(np.mean([member.value**2 for member in members])))
        yield figure(
            f"teachers_{name}_{group}_log10_ratio",
            mean.value,
            "decades",
            0.0,
            stderr=mean.stderr,
            rms=rms,
            formulas=mean.count,
        )
    for formula, mean in differences(labels).items():
        yield figure(
            f"student_minus_{TEACHER}_{formula}", mean.value, "decades", 0.0, stderr=mean.stderr, seeds=mean.count
        )


def tables(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield three tables: by formula, by class, student minus teacher."""
    labels = usable(lines)
    means, classes = over_seeds(labels), chemistries(labels)
    names = [name for name in ORDER if any(key[0] == name for key in means)]
    cells = ((classes[f], f, *(str(means.get((name, f), "-")) for name in names)) for f in classes)
    yield from markdown(("class", "melt", *names), cells)
    yield ""
    grouped = {(name, group): str(over_formulas(members)) for name, group, members in _groups(means, classes)}
    groups = dict.fromkeys(group for _, group in grouped)
    yield from markdown(
        ("class", *names), ((group, *(grouped.get((name, group), "-") for name in names)) for group in groups)
    )
    yield ""
    rows = ((formula, str(mean)) for formula, mean in differences(labels).items())
    yield from markdown(("melt", f"log10 D, student - {TEACHER}"), rows)


def _groups(means: Mapping[tuple[str, str], Mean], classes: Mapping[str, str]) -> Iterator[tuple[str, str, list[Mean]]]:
    """Yield the means of each potential in each class, over all formulas, and over those that all candidates have."""
    candidates = {name for name, _ in means} - {STUDENT}
    common = [formula for formula in classes if all((name, formula) in means for name in candidates)]
    groups = {group: [f for f in classes if classes[f] == group] for group in dict.fromkeys(classes.values())}
    for name in ORDER:
        for group, formulas in {**groups, "all": list(classes), "common": common}.items():
            members = [means[name, formula] for formula in formulas if (name, formula) in means]
            if members:
                yield name, group, members


def _mean(lines: Sequence[Mapping[str, Any]]) -> Mean:
    values = [line["log10_ratio"] for line in lines]
    censored = sum(line["state"] == "censored" for line in lines)
    return Mean(float(np.mean(values)), _error(values, [_stderr(line) for line in lines]), len(values), censored)


def _pairs(labels: Labels, formula: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    seeds = [seed for name, other, seed in labels if (name, other) == (STUDENT, formula)]
    return [
        (labels[STUDENT, formula, seed], labels[TEACHER, formula, seed])
        for seed in seeds
        if (TEACHER, formula, seed) in labels
    ]


def _mean_difference(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Mean:
    values = [student["log10_ratio"] - teacher["log10_ratio"] for student, teacher in pairs]
    errors = [math.hypot(_stderr(student), _stderr(teacher)) for student, teacher in pairs]
    censored = sum("censored" in (student["state"], teacher["state"]) for student, teacher in pairs)
    return Mean(float(np.mean(values)), _error(values, errors), len(values), censored)


def _error(values: Sequence[float], errors: Sequence[float]) -> float:
    """Return the standard error of a mean: that of the scatter, and not less than that of the runs."""
    statistical = math.sqrt(sum(error**2 for error in errors)) / len(errors)
    if len(values) < FEWEST_FOR_DEVIATION:
        return statistical
    return max(statistical, float(np.std(values, ddof=1)) / math.sqrt(len(values)))


def _stderr(line: Mapping[str, Any]) -> float:
    stderr = line.get("log10_stderr")
    return math.inf if stderr is None else float(stderr)
