"""Errors that a user reads."""

from contextlib import contextmanager

import pytest

from vitrion_models.errors import VitrionError


@contextmanager
def error_in_one_line(error, match=None):
    """Expect an error of Vitrion that names the quantity, in one line."""
    with pytest.raises(error, match=match) as caught:
        yield caught
    assert isinstance(caught.value, VitrionError)
    assert "\n" not in str(caught.value)
