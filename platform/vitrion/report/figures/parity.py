"""Parity plot: prediction of the surrogate against molecular dynamics."""

from vitrion.report.charts import Axis, Colour, Panel
from vitrion.report.data import ParityPoint, ReportData
from vitrion.report.figures.figure import Figure, Key, Mark
from vitrion_models.constants import Z_95

KEYS = (
    Key("frozen test, not in the training set", Colour.PREDICTED),
    Key("training set", Colour.RANDOM, Mark.RING),
)


def figure(data: ReportData) -> Figure | None:
    """Draw prediction against label, both with 95 % intervals; None without a surrogate."""
    if not data.parity:
        return None
    ends = [10**value for point in data.parity for value in (*_measured_range(point), point.lower_95, point.upper_95)]
    x = Axis.around("D by molecular dynamics (cm²/s)", ends, log=True)
    y = Axis("D by the surrogate (cm²/s)", x.low, x.high, log=True)
    panel = Panel(x, y, width=440, height=400, title="Surrogate against labels")
    panel.line([x.low, x.high], [x.low, x.high], Colour.GREY, width=1)
    for point in sorted(data.parity, key=lambda row: row.held_out):
        low, high = _measured_range(point)
        panel.point(
            10**point.measured,
            10**point.predicted,
            Colour.PREDICTED if point.held_out else Colour.RANDOM,
            x_range=(10**low, 10**high),
            y_range=(10**point.lower_95, 10**point.upper_95),
            hollow=not point.held_out,
            title=f"{point.formula} {point.temperature_K:.0f} K",
        )
    return Figure(
        panel.svg(),
        heading="Prediction against label",
        caption="Bars are 95 % intervals: horizontal for the label, vertical for the prediction.",
        keys=KEYS,
    )


def _measured_range(point: ParityPoint) -> tuple[float, float]:
    return point.measured - Z_95 * point.measured_stderr, point.measured + Z_95 * point.measured_stderr
