"""Orb v3, the conservative models: the user's file of weights through orb-models' own calculator."""

import warnings
from importlib.metadata import version

from vitrion_models.errors import CheckpointError
from vitrion_workflows.potentials.adapters.ase_calculator import AseForceField
from vitrion_workflows.potentials.entry import MATERIALS_PROJECT_ELEMENTS, PotentialEntry
from vitrion_workflows.potentials.weights.package import Package
from vitrion_workflows.potentials.weights.user_weights import UserWeights

PACKAGE = Package("orb_models", "orb-models", "pip install 'vitrion[orb]'")
# orb-models sets the precision of the whole process; tensor-float products would cost forces their last digits.
PRECISION = "float32-highest"


def _entry(name: str, *, functional: str) -> PotentialEntry:
    weights = UserWeights(name, ".ckpt", f"{name}-*.ckpt, which orbital-materials/orb-models names")
    return PotentialEntry(
        name=name,
        version=name,
        licence="Apache-2.0",
        functional=functional,
        elements=MATERIALS_PROJECT_ELEMENTS,
        speed="slow: not measured by us",
        citation="B. Rhodes et al., Orb-v3: atomistic simulation at scale, arXiv:2504.06231 (2025)",
        how_to_install=f"{PACKAGE.advice}; {weights.advice}",
        loader=lambda _argument, device: load_orb(weights, device),
        probe=lambda _argument: PACKAGE.probe(weights.probe),
        user_weights=weights,
    )


def load_orb(weights: UserWeights, device: str) -> AseForceField:
    """Load an Orb model with the weights that were installed under its name.

    Raises:
        MissingDependencyError: orb-models or the file is missing.
        CheckpointError: the file has changed since it was installed, or holds another model.
    """
    name = weights.potential
    PACKAGE.require(name)
    digest = weights.require()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the package do not concern the caller
        from orb_models.forcefield.calculator import ORBCalculator  # noqa: PLC0415 - optional, seconds to import
        from orb_models.forcefield.pretrained import ORB_PRETRAINED_MODELS  # noqa: PLC0415

        try:
            model = ORB_PRETRAINED_MODELS[name](
                weights_path=str(weights.path), device=device, precision=PRECISION, compile=False
            )
        except Exception as error:
            # A foreign file can raise anything.
            raise CheckpointError(f"{weights.path} does not hold weights of {name}: {weights.advice}") from error
    return AseForceField(
        ORBCalculator(model, device=device),
        name=name,
        version=f"{name} (orb-models {version('orb-models')})",
        weights_sha256=digest,
        elements=MATERIALS_PROJECT_ELEMENTS,
    )


ENTRIES = (
    _entry("orb-v3-conservative-inf-omat", functional="PBE and PBE+U (OMat24)"),
    _entry("orb-v3-conservative-inf-mpa", functional="PBE and PBE+U (MPtrj and Alexandria)"),
)
