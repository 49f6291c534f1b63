"""Calibration of the surrogate: observed against nominal coverage."""

from vitrion.report.charts import Axis, Colour, Panel
from vitrion.report.data import ReportData
from vitrion.report.figures.figure import Figure, Key, Mark
from vitrion.report.inference import central_coverage, wilson
from vitrion.report.numbers import count

LEVELS = tuple(step / 20 for step in range(1, 20))
KEYS = (
    Key("observed on the frozen test, with its 95 % interval", Colour.PREDICTED, Mark.LINE),
    Key("a calibrated model", Colour.GREY, Mark.LINE),
)


def figure(data: ReportData) -> Figure | None:
    """Draw observed against nominal coverage on the frozen test; None while it is empty."""
    held_out = [point for point in data.parity if point.held_out]
    if not held_out:
        return None
    residuals = [point.predicted - point.measured for point in held_out]
    deviations = [point.predicted_std for point in held_out]
    observed, low, high = [], [], []
    for level in LEVELS:
        inside, number = central_coverage(residuals, deviations, level)
        observed.append(inside / number)
        interval = wilson(inside, number)
        low.append(interval[0])
        high.append(interval[1])
    percent = (0.0, 0.25, 0.5, 0.75, 1.0)
    x = Axis("nominal coverage", 0.0, 1.0, ticks=percent)
    y = Axis("observed coverage", 0.0, 1.0, ticks=percent)
    panel = Panel(x, y, width=440, height=400, title="Calibration of the surrogate")
    panel.band(LEVELS, low, high, Colour.PREDICTED)
    panel.line([0, 1], [0, 1], Colour.GREY, width=1)
    panel.line(LEVELS, observed, Colour.PREDICTED)
    return Figure(
        panel.svg(),
        heading="Calibration",
        caption=f"{count(len(held_out), 'label')} of the frozen test. The band is the 95 % interval of the coverage, "
        "assuming independent labels.",
        keys=KEYS,
    )
