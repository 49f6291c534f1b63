"""Structures as files hold them: the form in which every format hands them on, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymatgen.core.structure import Structure


@dataclass(frozen=True, eq=False, kw_only=True)
class StructureEntry:
    """One structure of a file.

    Attributes:
        structure: partial occupancies, oxidation states and isotopes as the file states them.
        fields: what else the file states of it, under the names of `StructureRecord`, such as ``band_gap_eV``.
        name: identifier in the file, such as ``mp-1234``; empty where it has none.
        remarks: sentences on what was left out or assumed.
    """

    structure: Structure
    fields: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    remarks: tuple[str, ...] = ()
