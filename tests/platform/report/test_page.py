import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from synthetic_report import FORMULAS, synthetic_report

from vitrion.report.data import ReportData
from vitrion.report.page import gate_rows, render, scores, tallies
from vitrion_workflows.schemas import LabelState

VOID = {"meta", "br", "link", "img", "hr"}
EMPTY = ReportData(
    campaign="new",
    state="active",
    species="Li",
    target_temperature_K=1000.0,
    made=datetime(2026, 11, 21, tzinfo=UTC),
    potential="nep89",
    acquisition="expected_improvement",
)


class Balanced(HTMLParser):
    """Fails on a closing tag that closes nothing."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.text = []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - the parser calls it so
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    return " ".join(" ".join(parser.text).split())


@pytest.fixture(scope="module")
def data():
    return synthetic_report()


@pytest.fixture(scope="module")
def page(data):
    return render(data)


def test_the_page_stands_alone(page):
    assert not re.search(r"https?://|<script|<link|src=|@import|url\((?!#)", page)
    assert len(page) < 1_000_000


def test_the_page_is_well_formed_and_every_drawing_is_xml(page):
    read(page)
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) > 20
    for drawing in drawings:
        root = ET.fromstring(drawing)
        for element in root.iter():
            for value in element.attrib.values():
                assert "nan" not in value.lower()
                assert "inf" not in re.sub(r"[a-zA-Z]{4,}", "", value.lower())


def test_every_figure_names_its_axes_with_units(page):
    for words in ("MSD (Å²)", "lag time (ps)", "1000 / T", "D (cm²/s)", "r (Å)", "g(r)", "nominal coverage"):
        assert words in page


def test_the_page_is_reproducible(data, page):
    assert render(data) == page
    assert render(synthetic_report()) == page


def test_what_is_shown_is_what_was_found(data, page):
    text = read(page)
    assert "Ranked by D corrected for the estimated error of nep89, the fastest Li conductor found is" in text
    assert "How far is this the potential’s opinion?" in text
    best = max(
        (row for row in data.accepted_labels if row.temperature_K == data.target_temperature_K),
        key=lambda row: row.value_cm2_s,
    )
    assert f"{best.value_cm2_s / 10**-4:.1f}" in text
    for words in ("Acquisition", "Limits", "K/s", "Yeh and Hummer", "chgnet", "75168ece"):
        assert words in text


def test_ids_of_the_drawings_are_unique_or_equal_drawings(page):
    clips = re.findall(r'<clipPath id="(.*?)">', page)
    assert len(set(clips)) > len(clips) / 2


def test_a_campaign_that_has_just_begun_says_so_instead_of_drawing_nothing():
    text = read(render(EMPTY))
    for words in (
        "Nothing has been labelled",
        "no candidate",
        "No label has been made yet",
        "No amorphous cell has been made yet",
        "No surrogate has been trained yet",
        "too few to compare",
        "No cost has been recorded yet",
        "not finished",
    ):
        assert words in text
    assert "<svg" not in render(EMPTY).replace('<svg class="strip"', "")


def test_without_generated_cells_the_page_says_so(data):
    alone = replace(data, rdfs=tuple(replace(rdf, generated=()) for rdf in data.rdfs))
    assert "No generated cell" in read(render(alone))


def test_a_surrogate_worse_than_a_baseline_is_told_plainly(data):
    poor = replace(data, baselines=tuple(replace(row, rmse=0.001) for row in data.baselines))
    assert "Better:" in read(render(poor))
    assert scores(poor)[-1][0] == "surrogate"


def test_one_label_of_each_state_is_enough(data):
    by_state = {}
    for label in data.labels:
        by_state.setdefault(label.state, label)
    rejected = replace(data.labels[0], state=LabelState.REJECTED, value_cm2_s=None, interval_95_cm2_s=None)
    few = replace(EMPTY, labels=(*by_state.values(), rejected))
    text = read(render(few))
    assert "1 accepted, 1 censored (an upper bound), 1 rejected" in text


@pytest.mark.parametrize(
    "missing", ["cells", "predictions", "rdfs", "parity", "baselines", "cycles", "reference_pairs", "labels"]
)
def test_any_part_may_be_missing(data, missing):
    read(render(replace(data, **{missing: ()})))


@pytest.mark.parametrize("interval", [(0.0, 1e-4), (1e-6, math.inf), None])
def test_intervals_without_an_end_are_drawn_to_the_edge(data, interval):
    open_ended = replace(data.labels[0], interval_95_cm2_s=interval, log10_stderr=math.inf, n_eff=None, exponent=None)
    page = render(replace(data, labels=(open_ended, *data.labels[1:])))
    assert not re.search(r' (?:d|points|[xy]\d?|c[xy]|width)="[^"]*(?:nan|inf)', page)
    read(page)


def test_names_from_the_database_cannot_break_the_page(data):
    evil = '<script>alert("x")</script>'
    labels = tuple(replace(row, formula=evil) for row in data.labels)
    cells = tuple(replace(row, formula=evil) for row in data.cells)
    page = render(replace(data, campaign=evil, labels=labels, cells=cells, provenance=((evil, evil),)))
    assert "<script" not in page
    read(page)


def test_gates_are_counted(data):
    rows = gate_rows(data)
    cells = [row for row in rows if row.kind == "melt-quenched cells"]
    assert {row.measured for row in cells} == {len(FORMULAS)}
    assert all(row.passed <= row.measured for row in rows)
    density = next(row for row in rows if row.gate == "density")
    assert density.limits == "1.5 to 3.2 g/cm³"


def test_tallies_count_closed_cycles_only(data):
    assert ("3", "closed cycles") in tallies(data)
    assert ("0", "closed cycles") in tallies(EMPTY)


def test_pairs_with_the_reference_potential_are_a_table_with_both_errors(data):
    text = read(render(data))
    assert "9.5 (6.7 to 14) × 10⁻⁵" in text  # 10^-4.02, and 1.96 x 0.08 decades either way
    assert "−0.11 ± 0.35" in text  # -4.02 + 3.91, 1.96 sqrt(0.08^2 + 0.16^2)
    error = data.model_errors["LiCl"]
    assert f"{error.offset_decades:+.2f} ± {error.stderr_decades:.2f}" in text
    assert "Production and reference potential" not in read(render(replace(data, reference_pairs=())))
