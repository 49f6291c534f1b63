"""Values of JSON documents as arrays and numbers."""

from typing import Any

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray


def array_of(value: Any, shape: tuple[int, ...], *, name: str) -> FloatArray:
    """Return a JSON value as finite numbers of a shape.

    Raises:
        InputError: it is something else, such as text or true, which NumPy would convert; the message has the name.
    """
    if not _is_numeric(value):
        raise InputError(f"{name} is not made of numbers")
    try:
        numbers = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} is not made of numbers") from error
    if numbers.shape != shape or not np.isfinite(numbers).all():
        wanted = f"{' x '.join(map(str, shape))} finite numbers" if shape else "one finite number"
        raise InputError(f"{name} is not {wanted}")
    return numbers


def number_of(value: Any, *, name: str) -> float:
    """Return a JSON value as a finite number; see `array_of`."""
    return float(array_of(value, (), name=name))


def _is_numeric(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_numeric, value))
    return isinstance(value, int | float) and not isinstance(value, bool)
