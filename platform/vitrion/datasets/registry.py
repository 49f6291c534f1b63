"""Registered public data sets, by name."""

from importlib import resources

from vitrion.datasets import (
    amorphous_diffusivity,
    li_candidates,
    obelix,
    pfp_amorphous,
    quickstart,
    radial_distributions,
)
from vitrion.datasets.specification import DatasetSpecification, SourceFile
from vitrion_models.errors import InputError

RAW = "https://raw.githubusercontent.com"
ZHENG = "H. Zheng et al., arXiv:2402.00177 (2024)"
PFP_COMMIT = "638d248b4cf60a281fb2eb4c23cca84888d64945"
PFP_SHA256 = {
    "temp_1.cif": "e2993cc84c98c1f99acb678d5186f2dfa2517efeacb2e21761e0e11b9a024c31",
    "temp_2.cif": "3db5995933834c699da43557e4af87a0a56defb4c27fc371c5aa0b5971305938",
    "temp_3.cif": "0a1c45e75b37e1e2e0071ad3b69adfb388971a73aeaf2457e5d5f3c5c984f81c",
    "temp_4.cif": "0880b26e97410dd7d871e7da18833180a05bee6fa198717b812d53906fbef7f3",
    "temp_5.cif": "02cc666333be2d4a81700f40c3e6291a91150432187a6d99e6c502df22849f32",
    "temp_6.cif": "f9123810d4eaa9e1dd23f6e11469f639ab7dfc81d0f6c058c3b5043b15b62034",
    "temp_7.cif": "481e7bf06f0c26600944f67fcafa04c647490cfa32fbb3804af038f47b901792",
    "temp_8.cif": "2db28c831ec2c0066e927abf88cb93567da7bf5aeebf1a889d7eadded850ad43",
    "temp_9.cif": "782f040ecedc0ad834a547952514b20e09e27a63a2cc7e8bf1e91cc070b46835",
    "temp_10.cif": "f9bfd1146c38aa8a11e25b89c7c0f941b5b5cf576f89b6175f3edfa42d22ad00",
}


def _pfp_file(name: str, file: str, sha256: str) -> SourceFile:
    url = f"{RAW}/shuyayamazaki/HackNIP-kappa/{PFP_COMMIT}/{file}"
    return SourceFile(name=name, path=f"structures/pfp_amorphous/{file}", url=url, sha256=sha256)


def _rdf_files() -> tuple[SourceFile, ...]:
    text = resources.files("vitrion.datasets").joinpath("rdf_files.txt").read_text(encoding="utf-8")
    entries = [line.split() for line in text.splitlines() if not line.startswith("#")]
    folder = f"{RAW}/Tinaatucsd/DFT_amorphous_structure/HEAD/compare_RDFs/RDFs_diff_compositions"
    return tuple(
        SourceFile(name=file, path=f"rdf_dft/{file}", url=f"{folder}/{file}", sha256=sha256) for sha256, file in entries
    )


_SPECIFICATIONS = (
    DatasetSpecification(
        name="aimd-amorphous-diffusivity",
        title="792 AIMD lithium diffusivities of amorphous and molten phases, 207 formulas at 1000 to 2500 K",
        licence="none stated",
        citation=ZHENG,
        files=(
            SourceFile(
                name=amorphous_diffusivity.FILE,
                path="aimd_li_diffusivity/feature_target.dat",
                url=f"{RAW}/Tinaatucsd/DFT_amorphous_structure/c7c5254fdfdaeaa7531b390446c6f62b8bb038ff"
                "/machine_learning_models/feature_target.dat",
                sha256="b185d5e2eea42fe9a9966cad94ced73977436f4d75eae5d009ed84783c1238b4",
            ),
        ),
        loader=amorphous_diffusivity.load,
    ),
    DatasetSpecification(
        name="obelix",
        title="478 measured room-temperature lithium conductivities and 321 crystal structures",
        licence="CC-BY-4.0",
        citation="F. Therrien et al., OBELiX, arXiv:2502.14234 (2025)",
        files=(
            SourceFile(
                name=obelix.TABLE,
                path="obelix/train.csv",
                url=f"{RAW}/NRC-Mila/OBELiX/HEAD/data/downloads/train.csv",
                sha256="01d87779862807e24bc45bb2c759852f892390b99f9340f13906c54805aa8776",
            ),
            SourceFile(
                name=obelix.CIFS,
                path="obelix/all_cifs.zip",
                url=f"{RAW}/NRC-Mila/OBELiX/HEAD/data/downloads/all_cifs.zip",
                sha256="90f54f781fe6c4ba014636046556ec66c3bfa909b617e7258ff50ac3dcfa027c",
            ),
        ),
        loader=obelix.load,
    ),
    DatasetSpecification(
        name="li-mp-candidates",
        title="4,582 lithium compounds of the Materials Project with hull energy and gap: a candidate pool",
        licence="MIT",
        citation="repository CodingWZL/IonNet; A. Jain et al., APL Materials 1, 011002 (2013)",
        files=(
            SourceFile(
                name=li_candidates.FILE,
                path="li_candidates/Li-MP-final.csv",
                url=f"{RAW}/CodingWZL/IonNet/fc9b620830bd5b5f44eab7e26229d5a566316399/data/Li-MP-final.csv",
                sha256="1c8e0443485ffd4a9beaf5433a8ce6432fe2f2d5d499987eea2e3e47dab07634",
            ),
        ),
        loader=li_candidates.load,
    ),
    DatasetSpecification(
        name="dft-rdf",
        title="Partial radial distribution functions of 211 amorphous cells, by DFT and by M3GNet",
        licence="none stated",
        citation=ZHENG,
        files=_rdf_files(),
        loader=radial_distributions.load,
    ),
    DatasetSpecification(
        name="pfp-amorphous",
        title="Ten amorphous lithium cells and their labels from an earlier project (labels rejected, a gas refused)",
        licence="MIT",
        citation="repository shuyayamazaki/HackNIP-kappa",
        files=(
            _pfp_file(
                pfp_amorphous.TABLE,
                "top10.json",
                "b4df4da05d9eb5dc6445f41daf37196d2fa4758fd25a27b7a437905259c5deda",
            ),
            _pfp_file(
                pfp_amorphous.LABELS,
                "labeled_diffusivities.txt",
                "b3d9826f760af354d9456d76e78376f3edb2afa7d2dbfb9744d25c01fa5bb97c",
            ),
            *(
                _pfp_file(pfp_amorphous.CELL.format(index=index), file, sha256)
                for index, (file, sha256) in enumerate(PFP_SHA256.items(), start=1)
            ),
        ),
        loader=pfp_amorphous.load,
    ),
    DatasetSpecification(
        name="quickstart-compounds",
        title="Real lithium crystals from published lattice parameters, inside the package",
        licence="MIT",
        citation="each compound names its own source",
        files=(),
        loader=quickstart.load,
        package_sha256=quickstart.quickstart_sha256,
    ),
)

_REGISTRY = {specification.name: specification for specification in _SPECIFICATIONS}


def specifications() -> tuple[DatasetSpecification, ...]:
    """Return all registered data sets, in the order of the registry."""
    return _SPECIFICATIONS


def specification(name: str) -> DatasetSpecification:
    """Return a data set by name.

    Raises:
        InputError: the data set is not registered.
    """
    try:
        return _REGISTRY[name]
    except KeyError:
        raise InputError(f"{name!r} is not a data set: choose from {', '.join(_REGISTRY)}") from None
