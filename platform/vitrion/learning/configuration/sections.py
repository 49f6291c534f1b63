"""Sections of a campaign file: materials, learning, and where it runs."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from vitrion_models.constants import HOTTEST_K
from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.temperatures import parse_temperatures
from vitrion_workflows import potentials
from vitrion_workflows.potentials import devices
from vitrion_workflows.schemas import CellProtocol, ForceCheckSettings, LabelProtocol, VolumeRule


def _expand_range(temperatures: Any) -> Any:
    return parse_temperatures(temperatures) if isinstance(temperatures, str) else temperatures


TemperatureRange = Annotated[
    tuple[float, ...], BeforeValidator(_expand_range, json_schema_input_type=str | tuple[float, ...])
]


class Section(BaseModel):
    """Keys and values of one section; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


AUTO = "auto"


def _check_compounds(names: tuple[str, ...]) -> tuple[str, ...]:
    from vitrion.datasets.quickstart import require_compounds  # noqa: PLC0415 - crystallography is slow to import

    require_compounds(names)
    repeated = [name for place, name in enumerate(names) if name in names[:place]]
    if repeated:
        raise ValueError(f"{repeated[0]} is named twice")
    return names


def _check_potential(name: str) -> str:
    if name != AUTO:
        potentials.find(name)
    return name


def _check_reference(settings: ForceCheckSettings | None) -> ForceCheckSettings | None:
    if settings is not None:
        _check_potential(settings.reference)
    return settings


ALL_OF_CAMPAIGN = "campaign"


def _check_formulas(formulas: Any) -> Any:
    if formulas == ALL_OF_CAMPAIGN or not isinstance(formulas, list | tuple):
        return () if formulas == ALL_OF_CAMPAIGN else formulas
    from vitrion_workflows.structure.composition import parse_formula  # noqa: PLC0415 - slow to import

    for formula in formulas:
        parse_formula(str(formula))
    return formulas


CompoundNames = Annotated[tuple[str, ...], AfterValidator(_check_compounds)]
PotentialName = Annotated[str, AfterValidator(_check_potential)]
Formulas = Annotated[
    tuple[str, ...],
    BeforeValidator(_check_formulas, json_schema_input_type=Literal["campaign"] | tuple[str, ...]),
]


class Tuning(Section):
    """Potential that is tuned to a reference potential before the first cycle (docs/design/tuning.md).

    Attributes:
        parent: registry name of the potential to tune.
        to: registry name of the reference potential.
        compositions: formulas whose melts are run; empty, or the word ``campaign``, for all that it may label.
        frames: frames of each composition in each round.
        rounds: most fits; the best is taken, or the campaign refused.
    """

    parent: PotentialName = "nep89"
    to: PotentialName = "diep"
    compositions: Formulas = ()
    frames: int = Field(default=24, ge=8, le=2000)
    rounds: int = Field(default=4, ge=1, le=20)


class TunedPotential(Section):
    """A production potential that the campaign makes for itself.

    Attributes:
        tune: from what, and to what.
    """

    tune: Tuning


def _kind_of_potential(value: Any) -> str:
    return "tuned" if isinstance(value, Mapping | TunedPotential) else "name"


Potential = Annotated[
    Annotated[PotentialName, Tag("name")] | Annotated[TunedPotential, Tag("tuned")], Discriminator(_kind_of_potential)
]


class Compounds(Section):
    """Crystals that the campaign starts from.

    Attributes:
        dataset: registered data set that holds them.
        names: reduced formulas to take from it.
        proposed: number of compositions to derive from them by substitution and by changing the lithium content.
    """

    dataset: Literal["quickstart-compounds"] = "quickstart-compounds"
    names: CompoundNames = Field(min_length=1)
    proposed: int = Field(default=0, ge=0)


class Cells(Section):
    """Preparation of the amorphous cells.

    Attributes:
        atoms: target number of atoms; rounded to the nearest integer number of formula units.
        volume: rule that chooses the volume of a cell at each temperature: ``rule``, ``zero-pressure``, ``reference``,
            ``twin`` or ``measured``, or a number in A3 per atom (docs/design/volume.md).
        protocol: melt, quench and hold.
    """

    atoms: int = Field(default=56, ge=16, le=400)
    volume: VolumeRule = "rule"
    protocol: CellProtocol = CellProtocol()


class Labels(Section):
    """Temperatures and MD protocol of the labels.

    Attributes:
        temperatures_K: temperatures at which cells may be labelled, K: a list, or a text such as ``600:1000:100``.
        target_temperature_K: the one of them at which conductors are ranked, K.
        protocol: settings of a labelling run.
        force_check: comparison of the forces of each label and cell with those of a reference potential; None makes
            none.
    """

    temperatures_K: TemperatureRange = Field(min_length=1)
    target_temperature_K: float = Field(gt=0, le=HOTTEST_K)
    protocol: LabelProtocol = LabelProtocol()
    force_check: Annotated[ForceCheckSettings | None, AfterValidator(_check_reference)] = ForceCheckSettings()

    @field_validator("temperatures_K")
    @classmethod
    def _check_range(cls, temperatures: tuple[float, ...]) -> tuple[float, ...]:
        for kelvin in temperatures:
            if not 0 < kelvin <= HOTTEST_K:
                raise ValueError(f"temperature {kelvin} K is impossible: give 0 < T <= {HOTTEST_K:g}")
        return tuple(sorted(set(temperatures)))

    @model_validator(mode="after")
    def _check_target(self) -> "Labels":
        if self.target_temperature_K not in self.temperatures_K:
            raise ValueError(f"target_temperature_K {self.target_temperature_K:g} must be one of temperatures_K")
        return self


class ReferenceCheck(Section):
    """Repetition of a share of the labels with a second potential, which measures the model error.

    Attributes:
        potential: registry name of the reference potential; must differ from the production potential.
        share: fraction of the accepted labels of all earlier cycles, rounded up; drawn at the start of each cycle after
            the first. Labels of the last cycle are not repeated.
        production_ps: length of a reference run in ps, started from the equilibrated state of the production run. A
            label is rejected where the run is too short to measure its own temperature (`Coupling.needed_ps`): 3.5 ps
            for 32 atoms and 2.2 ps for 52 under a chain at 10/ps, besides what equilibration discards.
    """

    potential: PotentialName = "chgnet"
    share: float = Field(default=0.1, gt=0, le=1)
    production_ps: float = Field(default=5.0, gt=0)


class GivenLabels(Section):
    """Labels from elsewhere, such as AIMD, as the most trusted fidelity: learned from, never proposed.

    Attributes:
        given: name of their data set or table in the database, as `vitrion labels list` shows it.
        stderr_decades: standard error of log10 D of the labels that state none.
    """

    given: str = Field(min_length=1)
    stderr_decades: float | None = Field(default=None, gt=0)


def _kind_of_fidelity(value: Any) -> str:
    is_given = isinstance(value, GivenLabels) or (isinstance(value, Mapping) and "given" in value)
    return "given" if is_given else "potential"


Fidelity = Annotated[
    Annotated[ReferenceCheck, Tag("potential")] | Annotated[GivenLabels, Tag("given")],
    Discriminator(_kind_of_fidelity),
]

SURROGATE_DEFAULTS = {"architecture": "arrhenius_gnn"}
# The compositions of the frozen test are held out already; holding out more would only cost training cells.
GENERATOR_DEFAULTS = {"architecture": "amorphous_diffusion", "training_steps": 300, "validation_fraction": 0.0}


class Acquisition(Section):
    """Choice of the labels of each cycle after the first.

    Attributes:
        function: name of the acquisition function.
        batch: number of labels in a cycle.
        random: number of them that the random arm chooses; at least one, so that the gain stays measurable.
        exploration: weight of the standard deviation in the upper confidence bound, and margin of the expected
            improvement.
    """

    function: Literal["expected_improvement", "upper_confidence_bound", "thompson"] = "expected_improvement"
    batch: int = Field(default=6, ge=2)
    random: int = Field(default=2, ge=1)
    exploration: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _check_arms(self) -> "Acquisition":
        if self.random >= self.batch:
            raise ValueError(f"random ({self.random}) must be less than batch ({self.batch})")
        return self


def _filled(defaults: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return a validator that fills a section of the default architecture, or of none, with the campaign's defaults."""

    def fill(section: Any) -> Any:
        name = defaults["architecture"]
        is_default = isinstance(section, dict) and section.get("architecture", name) == name
        return {**defaults, **section} if is_default else section

    return fill


SurrogateSection = Annotated[SurrogateConfig, BeforeValidator(_filled(SURROGATE_DEFAULTS))]
"""Hyper-parameters of the surrogate, of any registered architecture."""

GeneratorSection = Annotated[GeneratorConfig, BeforeValidator(_filled(GENERATOR_DEFAULTS))]
"""Hyper-parameters of the generator, of any registered architecture."""


Device = Annotated[str, Field(pattern=f"^({devices.PATTERN})$", description="auto, cpu, cuda or cuda:1")]


class LocalRun(Section):
    """Worker processes on this machine, one thread each."""

    kind: Literal["local"] = "local"
    workers: int = Field(default=2, ge=1, le=256)
    device: Device = devices.AUTO


class FireworksRun(Section):
    """A FireWorks launchpad on the same MongoDB server; its workers run elsewhere (``vitrion worker``)."""

    kind: Literal["fireworks"] = "fireworks"
    lost_after_seconds: float = Field(default=120.0, gt=0)
    device: Device = devices.AUTO
