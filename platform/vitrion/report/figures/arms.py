"""Acquisition against the random arm: does choosing help?"""

import math
from dataclasses import dataclass

from vitrion.report.charts import Axis, Colour, Panel
from vitrion.report.data import LabelRow, ReportData
from vitrion.report.figures.figure import Figure, Key, Mark
from vitrion.report.inference import Difference, difference_of_means
from vitrion.report.numbers import formula
from vitrion_models.constants import BOLTZMANN_eV_PER_K
from vitrion_workflows.schemas import LabelState

ACQUISITION, RANDOM = "acquisition", "random"
ARM_COLOURS = {ACQUISITION: Colour.MEASURED, RANDOM: Colour.RANDOM}
Z_95 = 1.96


@dataclass(frozen=True)
class ArmPoint:
    """One label of an arm, in decades of cm2/s at the target temperature.

    Attributes:
        label: the label.
        log10_D: at the target temperature.
        stderr: of the label, in decades.
        moved: whether it was measured at another temperature and moved along the surrogate's Arrhenius slope.
    """

    label: LabelRow
    log10_D: float
    stderr: float
    moved: bool


def points(data: ReportData, arm: str) -> list[ArmPoint]:
    """Labels of an arm in the order in which they were asked for, at the target temperature."""
    slopes = {prediction.fingerprint: prediction.Ea_eV for prediction in data.predictions}
    by_formula = {prediction.formula: prediction.Ea_eV for prediction in reversed(data.predictions)}
    found = []
    for label in sorted(data.labels, key=lambda row: row.cycle):
        if label.arm != arm or label.state is not LabelState.ACCEPTED or not label.value_cm2_s:
            continue
        value, moved = math.log10(label.value_cm2_s), label.temperature_K != data.target_temperature_K
        if moved:
            energy = slopes.get(label.fingerprint) or by_formula.get(label.formula)
            if energy is None:
                continue
            inverse = 1 / data.target_temperature_K - 1 / label.temperature_K
            value -= energy / (BOLTZMANN_eV_PER_K * math.log(10)) * inverse
        found.append(ArmPoint(label, value, label.log10_stderr or 0.0, moved))
    return found


def difference(data: ReportData) -> Difference | None:
    """Mean of the acquisition's labels minus the random arm's, in decades; None for too few."""
    return difference_of_means(*([point.log10_D for point in points(data, arm)] for arm in (ACQUISITION, RANDOM)))


def figure(data: ReportData) -> Figure | None:
    """Labels of both arms in order with the best so far; None before both have one."""
    arms = {arm: points(data, arm) for arm in (ACQUISITION, RANDOM)}
    if not all(arms.values()):
        return None
    ends = [
        10 ** (point.log10_D + side * Z_95 * point.stderr)
        for group in arms.values()
        for point in group
        for side in (-1, 1)
    ]
    longest = max(len(group) for group in arms.values())
    x = Axis("labels asked for by the arm", 0.5, longest + 0.5, ticks=tuple(range(1, longest + 1, 1 + longest // 12)))
    y = Axis.around(f"D at {data.target_temperature_K:.0f} K (cm²/s)", ends, log=True)
    panel = Panel(x, y, width=640, height=330, title="Acquisition against the random arm")
    for arm, group in arms.items():
        _draw_arm(panel, group, ARM_COLOURS[arm], shift=0.06 if arm == RANDOM else -0.06, square=arm == RANDOM)
    return Figure(
        panel.svg(),
        heading="Labels of the two arms, and the best so far",
        caption="Points are labels with 95 % intervals; hollow ones were measured at another temperature and moved to "
        f"{data.target_temperature_K:.0f} K along the surrogate's Arrhenius slope. Lines are the best label so far.",
        keys=(
            Key(f"acquisition ({data.acquisition.replace('_', ' ')})", Colour.MEASURED),
            Key("random arm", Colour.RANDOM, Mark.SQUARE),
        ),
    )


def _draw_arm(panel: Panel, group: list[ArmPoint], colour: str, *, shift: float, square: bool) -> None:
    best = [max(point.log10_D for point in group[: place + 1]) for place in range(len(group))]
    steps_x: list[float] = []
    steps_y: list[float] = []
    for place, value in enumerate(best, 1):
        steps_x += [place - 0.5, place + 0.5]
        steps_y += [10**value] * 2
    panel.line(steps_x, steps_y, colour, width=1.3, dash="" if not square else "5 3")
    for place, point in enumerate(group, 1):
        panel.point(
            place + shift,
            10**point.log10_D,
            colour,
            y_range=tuple(10 ** (point.log10_D + side * Z_95 * point.stderr) for side in (-1, 1)),  # type: ignore[arg-type]
            hollow=point.moved,
            square=square,
            title=f"{formula(point.label.formula)} {point.label.temperature_K:.0f} K, cycle {point.label.cycle + 1}",
        )
