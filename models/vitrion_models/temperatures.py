"""Temperatures as people write them: a number, a list or a range, in K."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from vitrion_models.constants import COLDEST_K, HOTTEST_K
from vitrion_models.errors import InputError

MOST_TEMPERATURES = 1000
RANGE_PARTS = 3  # start, stop, step
EXAMPLES = "give 1000, 600,800 or 600:1000:100 (start:stop:step, stop included)"


def parse_temperatures(text: str) -> list[float]:
    """Return the temperatures of ``1000``, ``600,800`` or ``600:1000:100``, in K, each once, in the order given.

    Args:
        text: numbers and ranges start:stop:step, separated by commas; the stop belongs to the range.

    Raises:
        InputError: a part is not a number or a rising range, its steps miss its stop, a temperature is outside 1 to
            10000 K, or there are more than a thousand.
    """
    temperatures: dict[Decimal, None] = {}
    for part in text.split(","):
        temperatures.update(dict.fromkeys(_expand(part)))
        if len(temperatures) > MOST_TEMPERATURES:
            raise InputError(f"{text!r} gives more than {MOST_TEMPERATURES} temperatures: take larger steps")
    return [float(kelvin) for kelvin in temperatures]


def _expand(part: str) -> Iterator[Decimal]:
    numbers = _numbers(part)
    for kelvin in numbers[:2]:
        if not COLDEST_K <= kelvin <= HOTTEST_K:
            raise InputError(f"a temperature of {kelvin:g} K is impossible: give {COLDEST_K:g} to {HOTTEST_K:g} K")
    start, stop, step = numbers if len(numbers) == RANGE_PARTS else (numbers[0], numbers[0], Decimal(1))
    if len(numbers) == RANGE_PARTS and (step <= 0 or start >= stop):
        raise InputError(f"{part!r} is not a rising range of temperatures: {EXAMPLES}")
    if stop - start >= MOST_TEMPERATURES * step:
        raise InputError(f"{part!r} gives more than {MOST_TEMPERATURES} temperatures: take larger steps")
    if (stop - start) % step:
        raise InputError(
            f"temperatures {part!r}: steps of {step:g} K from {start:g} K miss {stop:g} K: choose a step that meets it"
        )
    for count in range(int((stop - start) / step) + 1):
        yield start + count * step


def _numbers(part: str) -> list[Decimal]:
    """Return the one number, or start, stop and step, of a part.

    Raises:
        InputError: it is something else.
    """
    try:
        numbers = [Decimal(word.strip()) for word in part.split(":")]
    except InvalidOperation:
        numbers = []
    if len(numbers) not in {1, RANGE_PARTS} or not all(number.is_finite() for number in numbers):
        raise InputError(f"{part!r} is not a temperature in K: {EXAMPLES}")
    return numbers
