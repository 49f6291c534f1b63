"""A surrogate learns from the labels of one source."""

import pytest

from vitrion_models.errors import InputError
from vitrion_models.surrogates import Observation, train


def test_two_sources_are_refused_before_anything_is_trained():
    labels = [
        Observation(
            system=None,
            species="Li",
            temperature_K=1000.0,
            log10_D=-5.0,
            log10_stderr=0.1,
            censored=False,
            group="Li-S",
            key=str(number),
            composition={3: 2.0, 16: 1.0},
            source=source,
        )
        for number, source in enumerate(["nep89 " + "a" * 64, "nep89 " + "a" * 64, "b" * 64])
    ]
    with pytest.raises(InputError, match=r"2 sources \(bbbbbbbbbbbb: 1, nep89 aaaaaaaaaaaa: 2\)"):
        train(labels, test_keys=(), seed=0)
