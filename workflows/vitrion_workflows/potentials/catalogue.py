"""All potentials, the default first. Each entry is declared in the module of its adapter."""

from vitrion_workflows.potentials.adapters import (
    ase_calculator,
    atomate2,
    lennard_jones,
    mattersim,
    nep,
    orb,
    pfp,
    sevennet,
)
from vitrion_workflows.potentials.chgnet import force_field as chgnet
from vitrion_workflows.potentials.diep import force_field as diep
from vitrion_workflows.potentials.entry import PotentialEntry
from vitrion_workflows.potentials.mace import force_field as mace
from vitrion_workflows.potentials.remote import force_field as remote

ENTRIES: tuple[PotentialEntry, ...] = (
    nep.ENTRY,
    *chgnet.ENTRIES,
    diep.ENTRY,
    lennard_jones.ENTRY,
    *mace.ENTRIES,
    *sevennet.ENTRIES,
    *orb.ENTRIES,
    *mattersim.ENTRIES,
    pfp.ENTRY,
    remote.ENTRY,
    atomate2.ENTRY,
    ase_calculator.ENTRY,
)

# Other names of the same weights.
ALIASES = {
    "chgnet:0.3.0": "chgnet",
    "diep:fold1": "diep",
    "sevennet:7net-0": "sevennet",
    **{f"atomate2:{name}": entry for name, entry in atomate2.SAME_WEIGHTS.items()},
}
