"""JSON and YAML documents from files, within the bounds of `vitrion_models.bounds`."""

from pathlib import Path
from typing import Any

import yaml

from vitrion_models.bounds import (
    DEEPEST_NESTING,
    LARGEST_YAML_BYTES,
    LONGEST_INTEGER,
    LONGEST_NAME,
    MOST_YAML_NODES,
    check_nesting,
    parse_json,
)
from vitrion_models.errors import InputError, first_line
from vitrion_workflows.formats.opening import naming, read_text

# A value that its tag or form does not fit (a 31st of November) trips the safe loader in any of these ways.
FAULTS_OF_SCALARS = (ValueError, OverflowError, KeyError, IndexError, AttributeError, TypeError)


def load_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        InputError: see `read_text` and `parse_json`; the message names the file.
    """
    with naming(path):
        return parse_json(read_text(path))


def load_yaml(path: Path) -> Any:
    """Return the content of a YAML file (JSON included) of plain values, read by the safe loader.

    Raises:
        InputError: not YAML, a key given twice, or more than is read: text, nesting, or aliases that multiply; the
            message names the file.
    """
    with naming(path):
        return parse_yaml(read_text(path))


def parse_yaml(text: str) -> Any:
    """Parse a YAML document of bounded size and nesting.

    Raises:
        InputError: see `load_yaml`.
    """
    if len(text) > LARGEST_YAML_BYTES:
        raise InputError(f"longer than {LARGEST_YAML_BYTES >> 10} KiB, more than is read as YAML: shorten it")
    try:
        content = _Loader(text).get_single_data()
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML ({' '.join(str(error).split())})") from error
    except FAULTS_OF_SCALARS as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"not valid YAML (a value cannot be read: {first_line(error)})") from error
    except RecursionError as error:
        raise InputError(f"nested more than {DEEPEST_NESTING} deep: flatten it") from error
    check_nesting(content)
    return content


class _Loader(yaml.SafeLoader):
    """Safe loader that refuses repeated keys, of which YAML would keep the last, and aliases that multiply."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None:
            self._check_size(node, {})
        return node

    def _check_size(self, node: yaml.Node, sizes: dict[int, int]) -> int:
        """Return the number of nodes with aliases written out; a node that holds itself counts as endless."""
        if id(node) in sizes:
            return sizes[id(node)]
        sizes[id(node)] = MOST_YAML_NODES
        children = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
        size = 1 + sum(self._check_size(part, sizes) for part in parts)
        if size > MOST_YAML_NODES:
            raise InputError(f"its aliases stand for more than {MOST_YAML_NODES} values: write them out")
        sizes[id(node)] = size
        return size

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        names = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in names:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key `{key.value[:LONGEST_NAME]}` is given twice: remove one", key.start_mark
                )
            names.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    if len(node.value) > LONGEST_INTEGER:
        raise InputError(f"an integer of {len(node.value)} digits: correct it")
    value: int = loader.construct_yaml_int(node)
    return value


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
