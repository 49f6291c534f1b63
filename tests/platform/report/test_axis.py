import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrion.report.charts import Axis

FINITE = st.floats(-1e6, 1e6, allow_nan=False)
POSITIVE = st.floats(1e-12, 1e6)


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_linear_axis_holds_every_value_and_marks_lie_inside(values):
    axis = Axis.around("x", values)
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value in values)
    marks = axis.marks()
    assert len(marks) <= 12
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value, _ in marks)


@given(st.lists(POSITIVE, min_size=1, max_size=20))
def test_log_axis_holds_every_value_and_has_marks(values):
    axis = Axis.around("D", values, log=True, least_span=1.0)
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value in values)
    assert 2 <= len(axis.marks()) <= 12  # a single mark states no scale


@given(st.tuples(POSITIVE, POSITIVE))
def test_places_keep_the_order(pair):
    low, high = sorted(pair)
    axis = Axis("D", 1e-13, 1e7, log=True)
    assert axis.place(low) <= axis.place(high)


def test_decades_are_evenly_spaced():
    axis = Axis("D", 1e-6, 1e-2, log=True)
    assert [axis.place(10.0**k) for k in range(-6, -1)] == pytest.approx([0, 0.25, 0.5, 0.75, 1])


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (Axis("D", 1e-6, 1e-3, log=True), ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³"]),
        (Axis("D", 1e-5, 1e-4, log=True), ["10⁻⁵", "2×10⁻⁵", "5×10⁻⁵", "10⁻⁴"]),
        (Axis("t", 0.1, 10, log=True), ["0.1", "1", "10"]),
        (Axis("x", -1, 1), ["−1", "−0.5", "0", "0.5", "1"]),
    ],
)
def test_ticks_are_written_as_people_write_them(axis, words):
    assert [text for _, text in axis.marks()] == words


def test_values_that_a_scale_cannot_show_do_not_count():
    axis = Axis.around("D", [1e-5, 0.0, -1.0, math.nan, math.inf], log=True, least_span=1.0)
    assert axis.low == pytest.approx(10**-5.56, rel=1e-6)
    assert axis.place(0.0) < 0
