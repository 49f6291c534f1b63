"""Reading a campaign file, with error messages that name the key."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vitrion.learning.configuration.campaign import CampaignConfiguration
from vitrion_models.errors import InputError

# Keys of earlier versions, and their present names.
RENAMED_KEYS = {
    "referee": "reference",
    "surrogate.test_compositions": "test_compositions",
    "generator.steps": "generator.training_steps",
    "generator.samples": "generated_cells",
}
# Sections of several kinds: pydantic inserts the kind into the location of an error.
UNIONS = ("surrogate", "generator", "runner")


def load_configuration(path: Path) -> CampaignConfiguration:
    """Read and validate a campaign file.

    Raises:
        InputError: the file is absent or not YAML, or a key or value is wrong; the message names file and key.
    """
    try:
        content = _UniqueKeyLoader(path.read_text()).get_single_data()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: a campaign file is a mapping of keys, see `vitrion campaign schema`")
    try:
        return CampaignConfiguration.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {_format_error(error)}") from error


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe loader that refuses repeated keys; YAML's own would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        names = [(key.value, key.start_mark) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, (name, mark) in enumerate(names):
            if any(name == earlier for earlier, _ in names[:place]):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key `{name}` is given twice: remove one", mark
                )
        return super().construct_mapping(node, deep)


def _format_error(error: ValidationError) -> str:
    """Return the first validation error as one line."""
    fault = error.errors()[0]
    parts = [str(part) for part in fault["loc"]]
    if parts[:1] and parts[0] in UNIONS and len(parts) > 2:  # noqa: PLR2004 - section, kind, key
        del parts[1]
    location = ".".join(parts) or "campaign"
    if fault["type"] == "extra_forbidden":
        if location in RENAMED_KEYS:
            return f"unknown key `{location}`: it is now called `{RENAMED_KEYS[location]}`"
        allowed = _allowed_keys(CampaignConfiguration.model_json_schema(), fault["loc"])
        near = difflib.get_close_matches(str(fault["loc"][-1]), allowed, n=1, cutoff=0.0)
        return f"unknown key `{location}`" + (f": did you mean `{near[0]}`?" if near else "")
    if fault["type"] == "union_tag_invalid":
        return f"`{location}` has no {fault['ctx']['tag']!r}: choose from {fault['ctx']['expected_tags']}"
    if fault["type"] == "missing":
        return f"`{location}` is missing"
    message = fault["msg"].removeprefix("Value error, ")
    # Printing a whole section would not help.
    value = "" if isinstance(fault["input"], dict) else f" (it is {fault['input']!r:.60})"
    return f"`{location}`: {message}{value}"


def _allowed_keys(schema: dict[str, Any], location: tuple[int | str, ...]) -> list[str]:
    """Return the property names of the section that holds a location."""
    definitions = schema["$defs"]
    section = schema
    for part in location[:-1]:
        target = section.get("properties", {}).get(part)
        if target is None:
            continue
        choices = [target, *target.get("anyOf", []), *target.get("oneOf", [])]
        names = [choice["$ref"].rsplit("/", 1)[-1] for choice in choices if "$ref" in choice]
        section = {"properties": {k: v for name in names for k, v in definitions[name].get("properties", {}).items()}}
    return list(section.get("properties", {}))
