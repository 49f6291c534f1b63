"""A campaign's configuration: one YAML file, validated, with every unknown key answered by the nearest known one."""

import difflib
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from ase.data import atomic_numbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vitrion.learning.seeds import derive_seed
from vitrion_models.constants import HOTTEST_K
from vitrion_models.errors import InputError
from vitrion_workflows import potentials
from vitrion_workflows.schemas import CellProtocol, LabelProtocol

AUTO = "auto"
# Keys of earlier versions, and what became of each.
FORMER_KEYS = {"referee.labels": "`referee.share`, a share of the accepted labels"}
LARGEST_SEED = 2**63 - 1  # what a database can store
# What the analysis needs, and as much again that it may discard as equilibration; a test holds it to the analysis,
# which would take longer to import than all else here.
FEWEST_FRAMES = 40


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _known_compounds(names: tuple[str, ...]) -> tuple[str, ...]:
    from vitrion.datasets.quickstart import require_compounds  # noqa: PLC0415 - crystallography is slow to import

    require_compounds(names)
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise ValueError(f"{twice[0]} is named twice")
    return names


def _known_potential(name: str) -> str:
    if name != AUTO:
        potentials.find(name)
    return name


class Compounds(_Section):
    """Crystals the campaign starts from.

    Attributes:
        dataset: registered data set that holds them.
        names: reduced formulas to take from it.
        proposed: how many compositions to derive from them by substitution and lithium content.
    """

    dataset: Literal["quickstart-compounds"] = "quickstart-compounds"
    names: Annotated[tuple[str, ...], AfterValidator(_known_compounds)] = Field(min_length=1)
    proposed: int = Field(default=0, ge=0)


class Cells(_Section):
    """How amorphous cells are made.

    Attributes:
        atoms: wanted number of atoms; the nearest whole number of formula units is taken.
        protocol: melt, quench and hold.
    """

    atoms: int = Field(default=56, ge=16, le=400)
    protocol: CellProtocol = CellProtocol()


class Labels(_Section):
    """What is labelled and how.

    Attributes:
        temperatures_K: temperatures a label may be made at.
        target_temperature_K: the one of them at which conductors are ranked.
        protocol: numbers of a run.
    """

    temperatures_K: tuple[float, ...] = Field(min_length=1)
    target_temperature_K: float = Field(gt=0, le=HOTTEST_K)
    protocol: LabelProtocol = LabelProtocol()

    @field_validator("temperatures_K")
    @classmethod
    def _possible(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        for value in values:
            if not 0 < value <= HOTTEST_K:
                raise ValueError(f"temperature {value} K is impossible: give 0 < T <= {HOTTEST_K:g}")
        return tuple(sorted(set(values)))

    @model_validator(mode="after")
    def _target_is_measured(self) -> "Labels":
        if self.target_temperature_K not in self.temperatures_K:
            raise ValueError(f"target_temperature_K {self.target_temperature_K:g} must be one of temperatures_K")
        return self


class Referee(_Section):
    """A second potential that re-labels a share, so that the model error is measured.

    Attributes:
        potential: registry name; must differ from the campaign's.
        share: of the accepted labels of all earlier cycles, rounded up; asked for at the beginning of each cycle after
            the first. The labels of the last cycle are not asked about.
        production_ps: length of its runs, started from the workhorse's equilibrated state. A label is refused where the
            run is too short to know its own temperature (`Coupling.needed_ps`): 3.5 ps for 32 atoms and 2.2 for 52
            under a chain at 10/ps, besides what equilibration discards.
    """

    potential: Annotated[str, AfterValidator(_known_potential)] = "chgnet"
    share: float = Field(default=0.1, gt=0, le=1)
    production_ps: float = Field(default=5.0, gt=0)


class Acquisition(_Section):
    """How labels are chosen.

    Attributes:
        function: name of the acquisition function.
        batch: labels in each cycle after the first.
        random: how many of them the random arm chooses; never none, or the gain could not be measured.
        exploration: weight of the deviation in the upper confidence bound, and the margin of the expected improvement.
    """

    function: Literal["expected_improvement", "upper_confidence_bound", "thompson"] = "expected_improvement"
    batch: int = Field(default=6, ge=2)
    random: int = Field(default=2, ge=1)
    exploration: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _room_for_both(self) -> "Acquisition":
        if self.random >= self.batch:
            raise ValueError(f"random ({self.random}) must be less than batch ({self.batch})")
        return self


class Surrogate(_Section):
    """The surrogate's training.

    Attributes:
        members: networks in the ensemble.
        steps: optimiser steps of each network.
        test_compositions: compositions whose labels are the frozen test.
    """

    members: int = Field(default=5, ge=2)
    steps: int = Field(default=60, ge=1)
    test_compositions: int = Field(default=2, ge=1)


class Generator(_Section):
    """The generator's training and use.

    Attributes:
        steps: optimiser steps in each cycle.
        samples: cells drawn after each training.
    """

    steps: int = Field(default=300, ge=1)
    samples: int = Field(default=3, ge=0)


class Smaller(_Section):
    """The smaller campaign that runs where only a slow potential is to hand.

    Attributes:
        compounds: reduced formulas to take instead.
        atoms: atoms in a cell.
        melt_ps: melting time.
        quench_ps: quenching time.
        hold_ps: time at the final temperature.
        production_ps: length of a label's trajectory.
        cycles: closed cycles.
        initial: labels of the first cycle.
        batch: labels of each later one, one of them by the random arm.
    """

    compounds: Annotated[tuple[str, ...], AfterValidator(_known_compounds)] = Field(min_length=2)
    atoms: int = Field(ge=16, le=400)
    melt_ps: float = Field(gt=0)
    quench_ps: float = Field(gt=0)
    hold_ps: float = Field(gt=0)
    production_ps: float = Field(gt=0)
    cycles: int = Field(ge=1)
    initial: int = Field(ge=2)
    batch: int = Field(ge=2)


class LocalRun(_Section):
    """Worker processes on this machine, one thread each."""

    kind: Literal["local"] = "local"
    workers: int = Field(default=2, ge=1, le=256)


class FireworksRun(_Section):
    """A FireWorks launchpad on the same MongoDB server; its workers run elsewhere (``vitrion worker``)."""

    kind: Literal["fireworks"] = "fireworks"
    lost_after_seconds: float = Field(default=120.0, gt=0)


class CampaignConfiguration(_Section):
    """Everything that decides what a campaign does.

    Attributes:
        name: identity of the campaign in the database.
        seed: root of every seed in it.
        species: mobile species.
        potential: workhorse potential; ``auto`` takes NEP89 where it can run and CHGNet otherwise, and says so.
        cycles: closed cycles after which the campaign is done.
        initial: labels of the first cycle, the frozen test's not counted.
        smaller: what runs instead when ``potential: auto`` finds no NEP89; None refuses to shrink.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")
    seed: int = Field(ge=0, le=LARGEST_SEED)
    species: str = "Li"
    potential: Annotated[str, AfterValidator(_known_potential)] = AUTO
    compounds: Compounds
    cells: Cells = Cells()
    labels: Labels
    cycles: int = Field(default=3, ge=1)
    initial: int = Field(default=8, ge=2)
    acquisition: Acquisition = Acquisition()
    surrogate: Surrogate = Surrogate()
    generator: Generator = Generator()
    referee: Referee | None = None
    smaller: Smaller | None = None
    runner: LocalRun | FireworksRun = Field(default=LocalRun(), discriminator="kind")

    @model_validator(mode="after")
    def _test_leaves_training(self) -> "CampaignConfiguration":
        if self.surrogate.test_compositions >= len(self.compounds.names):
            raise ValueError("surrogate.test_compositions must leave compounds to train on")
        return self

    @model_validator(mode="after")
    def _compounds_hold_the_species(self) -> "CampaignConfiguration":
        from vitrion.datasets.formulas import chemical_system  # noqa: PLC0415 - as above

        if not atomic_numbers.get(self.species):
            raise ValueError(f"species {self.species!r} is no chemical symbol: give for example Li")
        for name in (*self.compounds.names, *(self.smaller.compounds if self.smaller else ())):
            if self.species not in chemical_system(name).split("-"):
                raise ValueError(f"{name} holds no {self.species}: change species or compounds.names")
        return self

    @model_validator(mode="after")
    def _enough_frames(self) -> "CampaignConfiguration":
        lengths = {"labels.protocol.production_ps": self.labels.protocol.production_ps}
        if self.smaller is not None:
            lengths["smaller.production_ps"] = self.smaller.production_ps
        if self.referee is not None:
            lengths["referee.production_ps"] = self.referee.production_ps
        for key, picoseconds in lengths.items():
            frames = self.labels.protocol.lasting(picoseconds).frames
            if frames < FEWEST_FRAMES:
                raise ValueError(
                    f"{key} {picoseconds:g} gives {frames} frames, and a diffusivity takes {FEWEST_FRAMES}, of which "
                    "half may be equilibration: lengthen it, or shorten labels.protocol.frame_interval_fs"
                )
        return self

    def shrunk(self) -> "CampaignConfiguration":
        """The same campaign with the numbers of its ``smaller`` section; itself without one."""
        if self.smaller is None:
            return self
        small = self.smaller
        times = {"melt_ps": small.melt_ps, "quench_ps": small.quench_ps, "hold_ps": small.hold_ps}
        cells = Cells(atoms=small.atoms, protocol=self.cells.protocol.model_copy(update=times))
        protocol = self.labels.protocol.lasting(small.production_ps)
        return self.model_copy(
            update={
                "compounds": Compounds(dataset=self.compounds.dataset, names=small.compounds),
                "cells": cells,
                "labels": self.labels.model_copy(update={"protocol": protocol}),
                "cycles": small.cycles,
                "initial": small.initial,
                "acquisition": self.acquisition.model_copy(update={"batch": small.batch, "random": 1}),
                "surrogate": self.surrogate.model_copy(update={"test_compositions": 1}),
                "referee": None,
            },
        )

    @property
    def root_seed(self) -> int:
        """Root of every seed: the seed and the name, so that two campaigns in one database never share a cell."""
        return derive_seed(self.seed, "campaign", self.name)

    def content_hash(self) -> str:
        """Identity of what decides the labels: everything but where it runs and how many cycles it goes on."""
        content = self.model_dump(mode="json", exclude={"runner": True, "cycles": True, "smaller": {"cycles"}})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _StrictLoader(yaml.SafeLoader):
    """Of two values for one key YAML's own loader takes the last and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"`{key.value}` stands in it twice: leave one out", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_configuration(path: Path) -> CampaignConfiguration:
    """Read and validate a campaign file.

    Raises:
        InputError: the file is absent, no YAML, or a key or value is wrong; the message names both.
    """
    try:
        content = _StrictLoader(path.read_text()).get_single_data()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: a campaign file is a mapping of keys, see `vitrion campaign schema`")
    try:
        return CampaignConfiguration.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {_first_fault(error)}") from error


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    location = ".".join(str(part) for part in fault["loc"]) or "campaign"
    if fault["type"] == "extra_forbidden":
        if location in FORMER_KEYS:
            return f"`{location}` became {FORMER_KEYS[location]}"
        known = _known_keys(CampaignConfiguration.model_json_schema(), fault["loc"])
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.0)
        return f"unknown key `{location}`" + (f": did you mean `{near[0]}`?" if near else "")
    if fault["type"] == "missing":
        return f"`{location}` is missing"
    message = fault["msg"].removeprefix("Value error, ")
    # A whole section is no help.
    given = "" if isinstance(fault["input"], dict) else f" (it is {fault['input']!r:.60})"
    return f"`{location}`: {message}{given}"


def _known_keys(schema: dict[str, Any], location: tuple[int | str, ...]) -> list[str]:
    """Property names of the section that holds a location."""
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
