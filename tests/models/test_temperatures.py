"""Temperatures as people write them."""

import pytest

from vitrion_models.errors import InputError
from vitrion_models.temperatures import MOST_TEMPERATURES, parse_temperatures


@pytest.mark.parametrize(
    ("text", "temperatures_K"),
    [
        ("1000", [1000.0]),
        ("600, 800", [600.0, 800.0]),
        ("600:1000:100", [600.0, 700.0, 800.0, 900.0, 1000.0]),
        ("300,600:1000:200", [300.0, 600.0, 800.0, 1000.0]),
        ("600.1:600.4:0.1", [600.1, 600.2, 600.3, 600.4]),  # no rounding of binary fractions
        ("900,600,900", [900.0, 600.0]),
        ("1e3", [1000.0]),
    ],
)
def test_numbers_lists_and_ranges(text, temperatures_K):
    assert parse_temperatures(text) == temperatures_K


@pytest.mark.parametrize(
    "text",
    [
        *("", "hot", "1000;1500", "600,", "600:1000", "1:2:3:4", "1000:600:100", "600:1000:0", "600:1000:-100"),
        *("600:1000:150", "-5", "0", "20000", "nan", "inf", "600:nan:100", "600:1000:nan", "600:1000:inf", "300 K"),
        *("1e999999999", "1:10000:1", "1:2:1e-9", "600:1000:1e-9999999"),
        ",".join(map(str, range(1, MOST_TEMPERATURES + 2))),
    ],
)
def test_what_gives_no_temperatures_is_refused(text):
    with pytest.raises(InputError):
        parse_temperatures(text)
