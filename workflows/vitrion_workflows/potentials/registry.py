"""The potentials Vitrion knows, and how to get one ready to evaluate."""

from ase.data import chemical_symbols

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows.potentials import ase_import, chgnet, diep, lennard_jones, mace, nep, remote
from vitrion_workflows.potentials.entry import Availability, PotentialEntry
from vitrion_workflows.potentials.force_field import ForceField

# NEP89's paper: the 89 elements of its file's first line.
NEP89_ELEMENTS = frozenset(chemical_symbols[1:95]) - chgnet.ABSENT

_ENTRIES = (
    PotentialEntry(
        name="nep89",
        version="2025-04",
        weights_sha256=nep.NEP89_SHA256,
        licence="GPL-3.0 (weights' package and nep-adapters)",
        functional="several data sets, mainly PBE (see its paper)",
        elements=NEP89_ELEMENTS,
        speed="fast: 25-45 microseconds an atom and step on one core",
        citation="T. Liang et al., NEP89: Universal neuroevolution potential for inorganic and organic materials "
        "across 89 elements, arXiv:2504.21286 (2025)",
        how_to_install="pip install 'vitrion[nep]'; vitrion potentials install nep89",
        optional=True,
        loader=nep.load_nep89,
        probe=nep.probe_nep89,
    ),
    PotentialEntry(
        name="chgnet",
        version="0.3.0",
        weights_sha256=chgnet.CHGNET_SHA256,
        licence="BSD-3-Clause",
        functional="PBE and PBE+U (MPtrj)",
        elements=chgnet.CHGNET_ELEMENTS,
        speed="slow: about 2 milliseconds an atom and step on one core",
        citation="B. Deng et al., Nature Machine Intelligence 5, 1031 (2023)",
        how_to_install=chgnet.ADVICE,
        optional=False,
        loader=chgnet.load_chgnet,
        probe=chgnet.probe_chgnet,
    ),
    PotentialEntry(
        name="diep",
        version="2.0 fold1",
        weights_sha256=diep.DIEP_SHA256,
        licence="BSD-3-Clause",
        functional="r2SCAN (MatPES)",
        elements=NEP89_ELEMENTS,
        speed="slow: about 6 milliseconds an atom and step on one core",
        citation="S. A. Tawfik et al., Digital Discovery (2024), doi:10.1039/d4dd00246f; "
        "A. D. Kaplan et al., arXiv:2503.04070 (2025)",
        how_to_install=diep.ADVICE,
        optional=False,
        loader=diep.load_diep,
        probe=diep.probe_diep,
    ),
    PotentialEntry(
        name="lennard-jones",
        version="1",
        weights_sha256=lennard_jones.LENNARD_JONES_SHA256,
        licence="MIT",
        functional="none: a model for tests and teaching, no real material",
        elements=frozenset(chemical_symbols[1:95]),
        speed="fast: about 5 microseconds an atom and step on one core",
        citation="J. E. Jones, Proc. R. Soc. A 106, 463 (1924)",
        how_to_install="part of Vitrion",
        optional=False,
        loader=lennard_jones.load_lennard_jones,
        probe=lennard_jones.probe_lennard_jones,
    ),
    PotentialEntry(
        name="mace:",
        version="the file's",
        weights_sha256="",
        licence="MIT (mace-torch); the file's own",
        functional="the file's",
        elements=frozenset(),
        speed="slow: some 10 milliseconds an atom and step on one core",
        citation="I. Batatia et al., NeurIPS 35, 11423 (2022)",
        how_to_install=f"{mace.PACKAGE_ADVICE}; {mace.FILE_ADVICE}",
        optional=True,
        loader=mace.load_mace,
        probe=mace.probe_mace,
    ),
    PotentialEntry(
        name="remote:",
        version="stated in its description",
        weights_sha256="",
        licence="the potential's own",
        functional="the potential's",
        elements=frozenset(),
        speed="the potential's, and some 0.1 milliseconds a step for the way there and back",
        citation="V. Kapil et al., Comput. Phys. Commun. 236, 214 (2019) (the i-PI protocol)",
        how_to_install=remote.EXAMPLE,
        optional=True,
        loader=remote.load_remote,
        probe=remote.probe_remote,
    ),
    PotentialEntry(
        name="ase:",
        version="the package's",
        weights_sha256="",
        licence="the package's own",
        functional="the calculator's",
        elements=frozenset(),
        speed="the calculator's",
        citation="A. Hjorth Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017)",
        how_to_install=ase_import.ADVICE,
        optional=True,
        loader=ase_import.load_ase,
        probe=ase_import.probe_ase,
    ),
)

DEVICES = ("cpu", "cuda")

_DEFAULTS = ("nep89", "chgnet")


def entries() -> tuple[PotentialEntry, ...]:
    """All potentials, the default first. A name that ends in a colon takes an argument (`mace:FILE`)."""
    return _ENTRIES


def find(name: str) -> tuple[PotentialEntry, str]:
    """Entry and argument of a potential's name.

    Args:
        name: ``nep89``, or ``mace:/path/to/file.model``.

    Returns:
        The entry and what stands after its colon (empty for plain names).

    Raises:
        InputError: there is no such potential.
    """
    head, colon, argument = name.partition(":")
    for entry in _ENTRIES:
        if entry.name == head + colon:
            return entry, argument
    known = ", ".join(entry.name for entry in _ENTRIES)
    raise InputError(f"no potential is called {name!r}: choose one of {known}")


def installed(name: str) -> Availability:
    """Whether a potential can run here, and if not what to do; nothing is loaded.

    Raises:
        InputError: there is no such potential.
    """
    entry, argument = find(name)
    return entry.probe(argument)


def load(name: str, *, device: str = "cpu") -> ForceField:
    """Load a potential, its weights checked by sha256.

    Args:
        name: registry name.
        device: ``cpu`` or ``cuda``.

    Raises:
        InputError: there is no such potential, or no such kind of device.
        MissingDependencyError: its package, its weights or the device are missing; the message says what to do.
        CheckpointError: its weights are damaged or not the ones the registry names.

    Example:
        >>> from vitrion_workflows import potentials
        >>> potentials.load("lennard-jones").name
        'lennard-jones'
    """
    entry, argument = find(name)
    _require_device(device)
    return entry.loader(argument, device)


def _require_device(device: str) -> None:
    if device not in DEVICES:
        raise InputError(f"device {device!r} is none of {', '.join(DEVICES)}")
    if device == "cuda":
        import torch  # noqa: PLC0415 - seconds to import, and only a GPU is asked after

        if not torch.cuda.is_available():
            raise MissingDependencyError(
                "device 'cuda' is not there: torch sees no GPU; use cpu, or see vitrion doctor"
            )


def default_potential() -> tuple[str, str]:
    """Name of the potential to use when none is named, and one line that says why.

    NEP89 where it can run, since it is some eighty times cheaper than the graph networks and no worse in first tests
    of diffusivities (docs/design/potentials.md); CHGNet otherwise.
    """
    preferred, fallback = _DEFAULTS
    available = installed(preferred)
    if available.ok:
        return preferred, f"{preferred} can run: the cheapest potential for real materials here"
    return fallback, f"{fallback} instead of {preferred}: {available.reason}"
