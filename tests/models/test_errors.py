"""Texts of errors on a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from vitrion_models.errors import printable


@given(st.text(st.characters()), st.integers(20, 200))
def test_what_is_printed_is_printable_and_short(text, longest):
    line = printable(text, longest=longest)
    assert line.isprintable()
    assert len(line) <= 10 * longest  # a character is escaped by ten at most


def test_ordinary_text_is_left_alone():
    assert printable("Li₃PS₄: 3 Å at 900 K", longest=600) == "Li₃PS₄: 3 Å at 900 K"


def test_the_beginning_and_the_end_of_a_long_text_are_kept():
    line = printable(f"file.cif: {'x' * 10_000}: correct it", longest=100)
    assert line.startswith("file.cif: ")
    assert line.endswith(": correct it")
    assert len(line) < 110
