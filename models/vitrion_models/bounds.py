"""Bounds on what is read from files: limits in one place, each with its reason, and JSON within them."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from vitrion_models.errors import InputError

# An archive may grow this much at most: coordinates shrink three- to tenfold, zeros of image flags a thousandfold.
LARGEST_RATIO = 200
# Below this size any ratio is harmless.
FREELY_UNPACKED_BYTES = 4 * 2**20
# A text that is read as a whole (crystals, tables, JSON): a million atoms take 60 MB. Longer runs are streamed.
LARGEST_TEXT_BYTES = 128 * 2**20
# A line of a text: frames of extended XYZ have comments of some hundred characters.
LONGEST_LINE = 2**20
# Numbers, texts and containers of one JSON document, or cells of a table: each takes up to 70 bytes of memory.
MOST_VALUES = 8_000_000
# Containers in containers: a database's export has ten.
DEEPEST_NESTING = 64
# Columns of a table; an exported label has 40.
MOST_COLUMNS = 1_000
# Digits of an integer: the state of a random number generator has 39; float() fails beyond 308.
LONGEST_INTEGER = 100
# YAML is written by hand, and read slowly (0.1 MB/s).
LARGEST_YAML_BYTES = 256 * 2**10
# Nodes of a YAML document once its aliases are written out.
MOST_YAML_NODES = 100_000
# Groups and datasets of an HDF5 file; a trajectory has 30.
MOST_HDF5_OBJECTS = 10_000
# A trained model; the largest of the project has 20 MB.
LARGEST_MODEL_BYTES = 2**30
# A lattice vector: a million atoms in one row are 3 micrometres long, and nobody simulates them so.
LONGEST_LATTICE_VECTOR_A = 1e4
# Coordinates, times, energies and steps of any file, in any unit: more is damage, and overflows when multiplied.
LARGEST_NUMBER = 1e15
# Atoms of a frame: one wrong digit of a count would cost minutes and all memory.
MOST_ATOMS = 10_000_000
# Directed pairs of one neighbour search, 100 bytes each; a million atoms have 11 million within 3 A.
MOST_PAIRS = 20_000_000
# Images of the sites of a crystal by its symmetry, those of special positions counted apart; 10 s.
MOST_SYMMETRY_SITES = 100_000
# Characters of a message on the terminal.
LONGEST_MESSAGE = 600
# Characters of a name quoted in one.
LONGEST_NAME = 80


def parse_json(text: str) -> Any:
    """Parse JSON of bounded size and nesting.

    Raises:
        InputError: not JSON, a key given twice, or more than is read: values, nesting, or digits of an integer.
    """
    check_values(sum(map(text.count, ",[{")))
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON, truncated? ({error.msg} in line {error.lineno})") from error
    except RecursionError as error:
        raise _too_deep() from error
    check_nesting(content)
    return content


def check_values(count: int) -> None:
    """Check the number of values of a document or cells of a table before they are made.

    Raises:
        InputError: more than is read.
    """
    if count > MOST_VALUES:
        raise InputError(f"{count} values, more than the {MOST_VALUES} that are read of one file: split it")


def check_columns(count: int) -> None:
    """Check the number of columns of a table.

    Raises:
        InputError: more than is read.
    """
    if count > MOST_COLUMNS:
        raise InputError(f"{count} columns, more than the {MOST_COLUMNS} of any table of labels: is it one?")


def check_unpacked(count: int, *, stored_bytes: int) -> None:
    """Check the bytes that a file declares to hold, unpacked, against the bytes of the file.

    Raises:
        InputError: more than a fair compression gives.
    """
    if count > max(FREELY_UNPACKED_BYTES, LARGEST_RATIO * stored_bytes):
        raise InputError(f"declares {count} bytes in a file of {stored_bytes}: damaged, or a bomb; write it again")


def check_nesting(content: Any) -> None:
    """Check how deeply lists and dictionaries lie in one another.

    Raises:
        InputError: deeper than is read.
    """
    level = [content]
    for _ in range(DEEPEST_NESTING):
        level = [child for container in level for child in _children(container) if isinstance(child, dict | list)]
        if not level:
            return
    raise _too_deep()


def _children(container: Any) -> Iterable[Any]:
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, list) else ()


def _too_deep() -> InputError:
    return InputError(f"lists and objects lie more than {DEEPEST_NESTING} deep in one another: flatten them")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise InputError(f"the key {name[:LONGEST_NAME]!r} is given twice: remove one")
    return content


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise InputError(f"an integer of {len(digits)} digits: correct it")
    return int(digits)
