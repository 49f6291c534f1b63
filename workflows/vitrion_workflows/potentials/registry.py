"""Find, probe and load potentials by name."""

import difflib
from collections.abc import Iterator
from importlib import import_module

from vitrion_models.errors import InputError
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.devices import choose_device
from vitrion_workflows.potentials.entry import PotentialEntry
from vitrion_workflows.potentials.force_field import ForceField

# Modules that declare `ENTRIES`, the default potential first.
MODULES = (
    "adapters.nep",
    "chgnet.force_field",
    "diep.force_field",
    "adapters.lennard_jones",
    "adapters.tuned_nep",
    "mace.force_field",
    "adapters.sevennet",
    "adapters.orb",
    "adapters.mattersim",
    "adapters.pfp",
    "remote.force_field",
    "adapters.atomate2",
    "adapters.ase_calculator",
)
# Other names of the same weights.
ALIASES = {
    "chgnet:0.3.0": "chgnet",
    "diep:fold1": "diep",
    "sevennet:7net-0": "sevennet",
    "atomate2:CHGNet": "chgnet",
    "atomate2:MACE": "mace-mp-0",
    "atomate2:MACE_MP_0": "mace-mp-0",
    "atomate2:MACE-MP-0": "mace-mp-0",
    "atomate2:MACE_MP_0B3": "mace-mp-0b3",
    "atomate2:MACE-MP-0b3": "mace-mp-0b3",
    "atomate2:MACE_MPA_0": "mace-mpa-0",
    "atomate2:MACE-MPA-0": "mace-mpa-0",
    "atomate2:MatterSim": "mattersim-v1.0.0-1m",
    "atomate2:SevenNet": "sevennet",
}
_DEFAULTS = ("nep89", "chgnet")


def entries() -> Iterator[PotentialEntry]:
    """Yield all potentials, the default first. A name that ends in a colon takes an argument (`mace:FILE`)."""
    for module in MODULES:
        yield from import_module(f"vitrion_workflows.potentials.{module}").ENTRIES


def find(name: str) -> tuple[PotentialEntry, str]:
    """Return the entry of a potential and the argument in its name.

    Args:
        name: ``nep89``, ``chgnet:r2scan``, ``mace:/path/to/file.model``, or atomate2's ``atomate2:CHGNet``.

    Returns:
        The entry, and the part of the name after the colon of the entry (empty for plain names).

    Raises:
        InputError: there is no such potential.
    """
    name_of_entry = ALIASES.get(name, name)
    head, colon, argument = name_of_entry.partition(":")
    # Complete names first: `chgnet:r2scan` has an entry of its own, `mace:FILE` shares one.
    for candidate, rest in ((name_of_entry, ""), (f"{head}{colon}", argument)):
        if entry := next((entry for entry in entries() if entry.name == candidate), None):
            return entry, rest
    names = ", ".join(entry.name for entry in entries())
    near = difflib.get_close_matches(name, [entry.name for entry in entries()], n=1)
    suggestion = f"did you mean {near[0]!r}?" if near else f"choose one of {names}"
    raise InputError(f"no potential is called {name!r}: {suggestion}")


def installed(name: str) -> Availability:
    """Check that a potential can run here, without loading it.

    Raises:
        InputError: there is no such potential.
    """
    entry, argument = find(name)
    return entry.probe(argument)


def load(name: str, *, device: str = "cpu") -> ForceField:
    """Load a potential after checking the sha256 of its weights.

    Args:
        name: registry name.
        device: ``cpu``, ``cuda``, ``cuda:1`` or ``auto``; see `choose_device`.

    Raises:
        InputError: there is no such potential, or it cannot use the device.
        MissingDependencyError: its package, its weights or the device are missing; the message says what to do.
        CheckpointError: its weights are damaged or not those of the registry.

    Example:
        >>> from vitrion_workflows import potentials
        >>> potentials.load("lennard-jones").name
        'lennard-jones'
    """
    entry, argument = find(name)
    chosen = choose_device(entry, device)
    force_field = entry.loader(argument, chosen)
    force_field.device = chosen
    return force_field


def default_potential() -> tuple[str, str]:
    """Return the name of the default potential and the reason for it, one line.

    NEP89 where it can run, since it is some thirty to fifty times cheaper than the graph networks and no worse in
    first tests of diffusivities (docs/design/engine.md, docs/design/potentials.md); CHGNet otherwise.
    """
    preferred, fallback = _DEFAULTS
    available = installed(preferred)
    if available.ok:
        return preferred, f"{preferred} can run: the cheapest potential for real materials here"
    return fallback, f"{fallback} instead of {preferred}: {available.reason}"
