"""Volumes of cells on the command line: the option, and one line on the estimates."""

from pydantic import TypeAdapter, ValidationError

from vitrion_models.errors import InputError
from vitrion_workflows.schemas.volume import VolumeEstimates, VolumeRule

_RULES: TypeAdapter[VolumeRule] = TypeAdapter(VolumeRule)


def volume_rule(text: str) -> VolumeRule:
    """Return the rule that a text names.

    Raises:
        InputError: neither a rule nor a possible volume.
    """
    try:
        return _RULES.validate_python(float(text) if _is_number(text) else text)
    except ValidationError as error:
        raise InputError(
            f"--volume {text} is neither rule, zero-pressure, reference, twin or measured, nor a volume of 2 to 500 A3 "
            "per atom"
        ) from error


def describe_volumes(volumes: VolumeEstimates) -> str:
    """Return one line: the chosen volume with its error, and by how much the estimates differ."""
    chosen = (
        f"volume by {volumes.rule!r}: {volumes.volume_A3_per_atom:.2f} A3/atom at {volumes.temperature_K:g} K, "
        f"standard error {100 * volumes.ln_stderr:.0f} %"
    )
    if not volumes.disagrees:
        return chosen
    return f"{chosen}; WARNING: the estimates differ by {100 * volumes.ln_spread:.0f} % (`docs/design/volume.md`)"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
