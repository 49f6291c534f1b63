"""Labels of the acquisition compared with those of the random arm."""

import math
from dataclasses import dataclass

from vitrion.keys import cycle_number
from vitrion.report.charts import Axis, Colour, Panel
from vitrion.report.data import Label, ReportData
from vitrion.report.figures.figure import Figure, Key, Mark
from vitrion.report.inference import Difference, difference_of_means
from vitrion.report.numbers import formula
from vitrion_models.constants import LN_10, Z_95, BOLTZMANN_eV_PER_K
from vitrion_workflows.schemas import LabelState

ACQUISITION, RANDOM = "acquisition", "random"
ARM_COLOURS = {ACQUISITION: Colour.MEASURED, RANDOM: Colour.RANDOM}


@dataclass(frozen=True)
class ArmPoint:
    """One label of an arm, in decades of cm2/s at the target temperature.

    Attributes:
        label: the label.
        log10_D: at the target temperature.
        stderr: of the label, in decades.
        extrapolated: True if measured at another temperature and shifted along the surrogate's Arrhenius slope.
    """

    label: Label
    log10_D: float
    stderr: float
    extrapolated: bool


def points(data: ReportData, arm: str) -> list[ArmPoint]:
    """Return the labels of an arm in the order of their cycles, at the target temperature."""
    slopes = {prediction.fingerprint: prediction.Ea_eV for prediction in data.predictions}
    by_formula = {prediction.formula: prediction.Ea_eV for prediction in reversed(data.predictions)}
    arm_points = []
    for label in sorted(data.labels, key=lambda row: row.cycle):
        if label.arm != arm or label.state is not LabelState.ACCEPTED or not label.value_cm2_s:
            continue
        value, extrapolated = math.log10(label.value_cm2_s), label.temperature_K != data.target_temperature_K
        if extrapolated:
            energy = slopes.get(label.fingerprint) or by_formula.get(label.formula)
            if energy is None:
                continue
            inverse = 1 / data.target_temperature_K - 1 / label.temperature_K
            value -= energy / (BOLTZMANN_eV_PER_K * LN_10) * inverse
        arm_points.append(ArmPoint(label, value, label.log10_stderr or 0.0, extrapolated))
    return arm_points


def difference(data: ReportData) -> Difference | None:
    """Return the mean of the acquisition's labels minus that of the random arm, in decades; None for too few."""
    return difference_of_means(*([point.log10_D for point in points(data, arm)] for arm in (ACQUISITION, RANDOM)))


def figure(data: ReportData) -> Figure | None:
    """Draw the labels of both arms in order with the best so far; None before both have one."""
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
    x = Axis("label of the arm", 0.5, longest + 0.5, ticks=tuple(range(1, longest + 1, 1 + longest // 12)))
    y = Axis.around(f"D at {data.target_temperature_K:.0f} K (cm²/s)", ends, log=True)
    panel = Panel(x, y, width=640, height=330, title="Acquisition against the random arm")
    for arm, group in arms.items():
        _draw_arm(panel, group, ARM_COLOURS[arm], shift=0.06 if arm == RANDOM else -0.06, square=arm == RANDOM)
    return Figure(
        panel.svg(),
        heading="Labels of the two arms, and the best so far",
        caption="Points are labels with 95 % intervals; hollow ones were measured at another temperature and shifted "
        f"to {data.target_temperature_K:.0f} K along the surrogate's Arrhenius slope. Lines: best label so far.",
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
            hollow=point.extrapolated,
            square=square,
            title=f"{formula(point.label.formula)} {point.label.temperature_K:.0f} K,"
            f" cycle {cycle_number(point.label.cycle)}",
        )
