"""The entries of the registry: what each potential is, whom to cite, and what makes it run."""

from ase.data import chemical_symbols

from vitrion_workflows.potentials import remote
from vitrion_workflows.potentials.adapters import ase_import, atomate2_names, lennard_jones, nep, pfp, sevennet
from vitrion_workflows.potentials.adapters.mattersim import (
    MATTERSIM_1M,
    MATTERSIM_5M,
    MATTERSIM_ELEMENTS,
    MattersimModel,
)
from vitrion_workflows.potentials.adapters.mattersim import PACKAGE as MATTERSIM
from vitrion_workflows.potentials.adapters.orb import ORB_ELEMENTS, ORB_MPA, ORB_OMAT, OrbModel
from vitrion_workflows.potentials.adapters.orb import PACKAGE as ORB
from vitrion_workflows.potentials.adapters.sevennet import (
    SEVENNET_0,
    SEVENNET_L3I5,
    SEVENNET_R2SCAN,
    SevennetCheckpoint,
)
from vitrion_workflows.potentials.chgnet.force_field import (
    ABSENT,
    CHGNET_020,
    CHGNET_030,
    CHGNET_ELEMENTS,
    CHGNET_R2SCAN,
    ChgnetCheckpoint,
)
from vitrion_workflows.potentials.chgnet.force_field import PACKAGE as CHGNET
from vitrion_workflows.potentials.diep import force_field as diep
from vitrion_workflows.potentials.entry import PotentialEntry
from vitrion_workflows.potentials.mace import force_field as mace
from vitrion_workflows.potentials.mace.foundation import (
    MACE_MATPES_R2SCAN_0,
    MACE_MP_0,
    MACE_MP_0B3,
    MACE_MPA_0,
    MaceModel,
)

# NEP89's paper: the 89 elements of its file's first line.
NEP89_ELEMENTS = frozenset(chemical_symbols[1:95]) - ABSENT
MPTRJ = "PBE and PBE+U (MPtrj)"
CHGNET_PAPER = "B. Deng et al., Nature Machine Intelligence 5, 1031 (2023)"
SEVENNET_PAPER = "Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024)"


def _mace(model: MaceModel, *, functional: str, licence: str, citation: str) -> PotentialEntry:
    return PotentialEntry(
        name=model.name,
        version=model.published,
        weights_sha256="",
        licence=f"MIT (mace-torch); {licence} (weights)",
        functional=functional,
        elements=NEP89_ELEMENTS,
        speed="slow: some 10 milliseconds an atom and step on one core",
        citation=citation,
        how_to_install=f"{mace.PACKAGE.advice}; {model.file.advice}",
        optional=True,
        gpu=True,
        loader=model.load,
        probe=model.probe,
    )


def _chgnet(checkpoint: ChgnetCheckpoint, *, functional: str, speed: str, further: str = "") -> PotentialEntry:
    return PotentialEntry(
        name=checkpoint.name,
        version=checkpoint.release,
        weights_sha256=checkpoint.weights_sha256,
        licence="BSD-3-Clause",
        functional=functional,
        elements=CHGNET_ELEMENTS,
        speed=f"slow: about {speed} milliseconds an atom and step on one core",
        citation=_cited(CHGNET_PAPER, further),
        how_to_install=CHGNET.advice,
        optional=False,
        gpu=True,
        loader=checkpoint.load,
        probe=checkpoint.probe,
    )


def _cited(paper: str, further: str) -> str:
    return f"{paper}; {further}" if further else paper


def _sevennet(checkpoint: SevennetCheckpoint, *, functional: str, speed: str, further: str = "") -> PotentialEntry:
    return PotentialEntry(
        name=checkpoint.name,
        version=checkpoint.release,
        weights_sha256=checkpoint.weights_sha256,
        licence="MIT",
        functional=functional,
        elements=NEP89_ELEMENTS,
        speed=speed,
        citation=_cited(SEVENNET_PAPER, further),
        how_to_install=sevennet.PACKAGE.advice,
        optional=True,
        gpu=True,
        loader=checkpoint.load,
        probe=checkpoint.probe,
    )


def _orb(model: OrbModel, *, functional: str) -> PotentialEntry:
    return PotentialEntry(
        name=model.name,
        version=model.name,
        weights_sha256="",
        licence="Apache-2.0",
        functional=functional,
        elements=ORB_ELEMENTS,
        speed="slow: not measured by us",
        citation="B. Rhodes et al., Orb-v3: atomistic simulation at scale, arXiv:2504.06231 (2025)",
        how_to_install=f"{ORB.advice}; {model.file.advice}",
        optional=True,
        gpu=True,
        loader=model.load,
        probe=model.probe,
    )


def _mattersim(model: MattersimModel) -> PotentialEntry:
    return PotentialEntry(
        name=model.name,
        version=model.published,
        weights_sha256="",
        licence="MIT",
        functional="PBE and PBE+U, cells up to 5000 K and 1000 GPa among them",
        elements=MATTERSIM_ELEMENTS,
        speed="slow: not measured by us",
        citation="H. Yang et al., MatterSim, arXiv:2405.04967 (2024)",
        how_to_install=f"{MATTERSIM.advice}; {model.file.advice}",
        optional=True,
        gpu=True,
        loader=model.load,
        probe=model.probe,
    )


ENTRIES = (
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
        gpu=True,
        loader=nep.load_nep89,
        probe=nep.probe_nep89,
    ),
    _chgnet(CHGNET_030, functional=MPTRJ, speed="0.9"),
    _chgnet(CHGNET_020, functional=MPTRJ, speed="0.5"),
    _chgnet(
        CHGNET_R2SCAN,
        functional="r2SCAN (Materials Project), by transfer from PBE",
        speed="0.9",
        further="X. Huang et al., arXiv:2504.05565 (2025)",
    ),
    PotentialEntry(
        name="diep",
        version="2.0 fold1",
        weights_sha256=diep.DIEP_SHA256,
        licence="BSD-3-Clause",
        functional="r2SCAN (MatPES)",
        elements=NEP89_ELEMENTS,
        speed="slow: about 1.4 milliseconds an atom and step on one core",
        citation="S. A. Tawfik et al., Digital Discovery (2024), doi:10.1039/d4dd00246f; "
        "A. D. Kaplan et al., arXiv:2503.04070 (2025)",
        how_to_install=diep.PACKAGE.advice,
        optional=False,
        gpu=True,
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
        gpu=False,
        loader=lennard_jones.load_lennard_jones,
        probe=lennard_jones.probe_lennard_jones,
    ),
    _mace(
        MACE_MP_0,
        functional="PBE and PBE+U (MPtrj)",
        licence="MIT",
        citation="I. Batatia et al., arXiv:2401.00096 (2023)",
    ),
    _mace(
        MACE_MP_0B3,
        functional="PBE and PBE+U (MPtrj)",
        licence="MIT",
        citation="I. Batatia et al., arXiv:2401.00096 (2023)",
    ),
    _mace(
        MACE_MPA_0,
        functional="PBE and PBE+U (MPtrj and sAlex)",
        licence="MIT",
        citation="I. Batatia et al., arXiv:2401.00096 (2023)",
    ),
    _mace(
        MACE_MATPES_R2SCAN_0,
        functional="r2SCAN (MatPES), fine-tuned from OMat24",
        licence="Academic Software License",
        citation="I. Batatia et al., arXiv:2401.00096 (2023); A. D. Kaplan et al., arXiv:2503.04070 (2025)",
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
        how_to_install=f"{mace.PACKAGE.advice}; {mace.FILE_ADVICE}",
        optional=True,
        gpu=True,
        loader=mace.load_mace,
        probe=mace.probe_mace,
    ),
    _sevennet(
        SEVENNET_0, functional="PBE and PBE+U (MPtrj)", speed="slow: about 7 milliseconds an atom and step on one core"
    ),
    _sevennet(SEVENNET_L3I5, functional="PBE and PBE+U (MPtrj)", speed="very slow: not measured by us"),
    _sevennet(
        SEVENNET_R2SCAN,
        functional="r2SCAN (Materials Project), learned together with PBE",
        further="J. Kim et al., J. Am. Chem. Soc. 147, 1042 (2025)",
        speed="slow: about 7 milliseconds an atom and step on one core",
    ),
    PotentialEntry(
        name="sevennet:",
        version="the file's",
        weights_sha256="",
        licence="MIT (sevenn); the file's own",
        functional="the file's",
        elements=frozenset(),
        speed="slow: as sevennet",
        citation=SEVENNET_PAPER,
        how_to_install=f"{sevennet.PACKAGE.advice}; {sevennet.FILE_ADVICE}",
        optional=True,
        gpu=True,
        loader=sevennet.load_sevennet_file,
        probe=sevennet.probe_sevennet_file,
    ),
    _orb(ORB_OMAT, functional="PBE and PBE+U (OMat24)"),
    _orb(ORB_MPA, functional="PBE and PBE+U (MPtrj and Alexandria)"),
    _mattersim(MATTERSIM_1M),
    _mattersim(MATTERSIM_5M),
    PotentialEntry(
        name="pfp:",
        version="stated by the user",
        weights_sha256="",
        licence="commercial (Matlantis)",
        functional="the mode's: PBE, PBE+U, r2SCAN or wB97X-D, with or without D3",
        elements=frozenset(),
        speed="unknown: that of the service",
        citation="S. Takamoto et al., Nature Communications 13, 2991 (2022)",
        how_to_install=f"{pfp.PACKAGE.advice}; {pfp.ARGUMENT_ADVICE}",
        optional=True,
        gpu=False,
        loader=pfp.load_pfp,
        probe=pfp.probe_pfp,
    ),
    PotentialEntry(
        name="remote:",
        version="stated in its description",
        weights_sha256="",
        licence="the potential's own",
        functional="the potential's",
        elements=frozenset(),
        speed="unknown: the potential's own, and the way there and back",
        citation="V. Kapil et al., Comput. Phys. Commun. 236, 214 (2019) (the i-PI protocol)",
        how_to_install=remote.EXAMPLE,
        optional=True,
        gpu=False,
        loader=remote.load_remote,
        probe=remote.probe_remote,
    ),
    PotentialEntry(
        name="atomate2:",
        version="atomate2's default",
        weights_sha256="",
        licence="the package's own",
        functional="the calculator's",
        elements=frozenset(),
        speed="unknown: the calculator's",
        citation="A. M. Ganose et al., Digital Discovery 4, 1944 (2025)",
        how_to_install=atomate2_names.ADVICE,
        optional=True,
        gpu=False,
        loader=atomate2_names.load_atomate2,
        probe=atomate2_names.probe_atomate2,
    ),
    PotentialEntry(
        name="ase:",
        version="the package's",
        weights_sha256="",
        licence="the package's own",
        functional="the calculator's",
        elements=frozenset(),
        speed="unknown: the calculator's",
        citation="A. Hjorth Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017)",
        how_to_install=ase_import.ADVICE,
        optional=True,
        gpu=False,
        loader=ase_import.load_ase,
        probe=ase_import.probe_ase,
    ),
)

# Weights that the user brings, by the name under which they are installed.
PLACED_FILES = {
    model.name: model.file
    for model in (
        MACE_MP_0,
        MACE_MP_0B3,
        MACE_MPA_0,
        MACE_MATPES_R2SCAN_0,
        ORB_OMAT,
        ORB_MPA,
        MATTERSIM_1M,
        MATTERSIM_5M,
    )
}

# Other ways to name the same weights.
ALIASES = {
    "chgnet:0.3.0": "chgnet",
    "diep:fold1": "diep",
    "sevennet:7net-0": "sevennet",
    **{f"atomate2:{name}": ours for name, ours in atomate2_names.SAME_AS.items()},
}
