"""The whole campaign file, and reading it with error messages that name the key."""

import difflib
import hashlib
import json
from pathlib import Path
from typing import Any, Self

from ase.data import atomic_numbers
from pydantic import Field, ValidationError, model_validator

from vitrion.learning.configuration.sections import (
    AUTO,
    GENERATOR_DEFAULTS,
    SURROGATE_DEFAULTS,
    Acquisition,
    Cells,
    CompoundNames,
    Compounds,
    Fidelity,
    FireworksRun,
    GeneratorSection,
    GivenLabels,
    Labels,
    LocalRun,
    Potential,
    ReferenceCheck,
    Section,
    SurrogateSection,
)
from vitrion.learning.seeds import derive_seed
from vitrion_models.errors import InputError
from vitrion_workflows.formats.documents import load_yaml

LARGEST_SEED = 2**63 - 1  # largest integer of a MongoDB document
# Frames that the analysis needs, and as many again that it may discard as equilibration. Not imported from the
# analysis, which takes longer to import than all else here; a test compares the two.
FEWEST_FRAMES = 40


class Smaller(Section):
    """The smaller campaign that runs where only a slow potential is installed.

    Attributes:
        compounds: reduced formulas to take instead.
        atoms: atoms in a cell.
        melt_ps: melting time, ps.
        quench_ps: quenching time, ps.
        hold_ps: time at the final temperature, ps.
        production_ps: length of a label's trajectory, ps.
        cycles: closed cycles.
        initial: labels of the first cycle.
        batch: labels of each later cycle, one of them by the random arm.
    """

    compounds: CompoundNames = Field(min_length=2)
    atoms: int = Field(ge=16, le=400)
    melt_ps: float = Field(gt=0)
    quench_ps: float = Field(gt=0)
    hold_ps: float = Field(gt=0)
    production_ps: float = Field(gt=0)
    cycles: int = Field(ge=1)
    initial: int = Field(ge=2)
    batch: int = Field(ge=2)


class CampaignConfiguration(Section):
    """Everything that determines the results of a campaign, and where it runs.

    Attributes:
        name: identity of the campaign in the database.
        seed: root of every seed in it.
        species: mobile species.
        potential: production potential; ``auto`` takes NEP89 where it can run and CHGNet otherwise, and says so;
            ``tune`` makes one for the campaign's own chemistry.
        cycles: closed cycles after which the campaign is finished.
        initial: labels of the first cycle, not counting those of the frozen test.
        test_compositions: number of compositions whose labels form the frozen test.
        surrogate: architecture and hyper-parameters of the surrogate.
        generator: architecture and hyper-parameters of the generator.
        generated_cells: cells drawn by the generator in each cycle.
        reference: labels to repeat with a reference potential; None for no such check.
        fidelities: dearer potentials that label cells too, least trusted first: the surrogate learns from all and
            predicts the last, the acquisition chooses material, temperature and potential by value for each second.
            Of each, `share` is still drawn at random, as in `reference`. The last may be labels from elsewhere
            (``given``), which cost nothing and are never proposed.
        smaller: the campaign to run when ``potential: auto`` does not find NEP89; None runs the full one.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")
    seed: int = Field(ge=0, le=LARGEST_SEED)
    species: str = "Li"
    potential: Potential = AUTO
    compounds: Compounds
    cells: Cells = Cells()
    labels: Labels
    cycles: int = Field(default=3, ge=1)
    initial: int = Field(default=8, ge=2)
    acquisition: Acquisition = Acquisition()
    test_compositions: int = Field(default=2, ge=1)
    surrogate: SurrogateSection = Field(default=SURROGATE_DEFAULTS, validate_default=True)
    generator: GeneratorSection = Field(default=GENERATOR_DEFAULTS, validate_default=True)
    generated_cells: int = Field(default=3, ge=0)
    reference: ReferenceCheck | None = None
    fidelities: tuple[Fidelity, ...] = ()
    smaller: Smaller | None = None
    runner: LocalRun | FireworksRun = Field(default=LocalRun(), discriminator="kind")

    @model_validator(mode="before")
    @classmethod
    def _choose_surrogate(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("fidelities"):
            return {"surrogate": {"architecture": "multi_fidelity"}, **content}
        return content

    @model_validator(mode="after")
    def _check_fidelities(self) -> "CampaignConfiguration":
        if not self.fidelities:
            return self
        if any(isinstance(entry, GivenLabels) for entry in self.fidelities[:-1]):
            raise ValueError("fidelities: given labels are the most trusted ones: name them once and last")
        names = [entry.potential for entry in self.references]
        if self.potential in names:
            raise ValueError(
                f"fidelities: {self.potential} is the production potential already: name the dearer ones only"
            )
        if len(set(names)) < len(names):
            raise ValueError("fidelities: a potential is named twice: name each once")
        if self.reference is not None:
            raise ValueError("reference: give `share` of the entry in fidelities instead")
        if self.surrogate.architecture != "multi_fidelity":
            raise ValueError(
                f"surrogate.architecture {self.surrogate.architecture} learns from one potential: "
                "give multi_fidelity, or leave fidelities out"
            )
        if self.acquisition.function != "expected_improvement":
            raise ValueError(
                f"acquisition.function {self.acquisition.function} knows no costs: give expected_improvement, "
                "or leave fidelities out"
            )
        return self

    @model_validator(mode="after")
    def _check_test_size(self) -> "CampaignConfiguration":
        if self.test_compositions >= len(self.compounds.names):
            raise ValueError(
                f"test_compositions ({self.test_compositions}) must leave compounds to train on: name more in "
                "compounds.names"
            )
        return self

    @model_validator(mode="after")
    def _check_species(self) -> "CampaignConfiguration":
        from vitrion.datasets.formulas import chemical_system  # noqa: PLC0415 - crystallography is slow to import

        if not atomic_numbers.get(self.species):
            raise ValueError(f"species {self.species!r} is not a chemical symbol: give for example Li")
        for name in (*self.compounds.names, *(self.smaller.compounds if self.smaller else ())):
            if self.species not in chemical_system(name).split("-"):
                raise ValueError(f"{name} contains no {self.species}: change species or compounds.names")
        return self

    @model_validator(mode="after")
    def _check_run_lengths(self) -> "CampaignConfiguration":
        lengths = {"labels.protocol.production_ps": self.labels.protocol.production_ps}
        if self.smaller is not None:
            lengths["smaller.production_ps"] = self.smaller.production_ps
        if self.reference is not None:
            lengths["reference.production_ps"] = self.reference.production_ps
        if self.fidelities:
            lengths |= {
                f"fidelities.{place}.production_ps": entry.production_ps for place, entry in enumerate(self.references)
            }
        for key, picoseconds in lengths.items():
            frames = self.labels.protocol.lasting(picoseconds).frames
            if frames < FEWEST_FRAMES:
                raise ValueError(
                    f"{key} {picoseconds:g} gives {frames} frames, and a diffusivity needs {FEWEST_FRAMES}, of which "
                    "half may be equilibration: lengthen it, or shorten labels.protocol.frame_interval_fs"
                )
        return self

    def shrunk(self) -> "CampaignConfiguration":
        """Return the campaign of the ``smaller`` section, or this one where there is no such section."""
        if self.smaller is None:
            return self
        small = self.smaller
        times = {"melt_ps": small.melt_ps, "quench_ps": small.quench_ps, "hold_ps": small.hold_ps}
        cells = self.cells.model_copy(
            update={"atoms": small.atoms, "protocol": self.cells.protocol.model_copy(update=times)}
        )
        protocol = self.labels.protocol.lasting(small.production_ps)
        return self.model_copy(
            update={
                "compounds": Compounds(dataset=self.compounds.dataset, names=small.compounds),
                "cells": cells,
                "labels": self.labels.model_copy(update={"protocol": protocol}),
                "cycles": small.cycles,
                "initial": small.initial,
                "acquisition": self.acquisition.model_copy(update={"batch": small.batch, "random": 1}),
                "test_compositions": 1,
                "reference": None,
                "fidelities": (),
            },
        )

    @property
    def references(self) -> tuple[ReferenceCheck, ...]:
        """Potentials besides the production potential: those of the fidelities, or the one of the reference check."""
        if self.reference is not None:
            return (self.reference,)
        return tuple(entry for entry in self.fidelities if isinstance(entry, ReferenceCheck))

    @property
    def dearer(self) -> tuple[str, ...]:
        """Registry names of the potentials among the fidelities, least trusted first."""
        return tuple(entry.potential for entry in self.references) if self.fidelities else ()

    @property
    def given(self) -> GivenLabels | None:
        """The most trusted fidelity, where it is labels from elsewhere."""
        return next((entry for entry in self.fidelities if isinstance(entry, GivenLabels)), None)

    @property
    def root_seed(self) -> int:
        """Root of every seed: the seed and the name, so that two campaigns in one database never share a cell."""
        return derive_seed(self.seed, "campaign", self.name)

    def on_device(self, device: str) -> Self:
        """Return the same campaign with its jobs on another device.

        Raises:
            ValidationError: there is no such kind of device.
        """
        runner = self.runner.model_dump() | {"device": device}
        return self.model_validate(self.model_dump() | {"runner": runner})

    def content_hash(self) -> str:
        """Return the sha256 of all settings that determine labels: not where it runs nor how many cycles it has."""
        content = self.model_dump(mode="json", exclude={"runner": True, "cycles": True, "smaller": {"cycles"}})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


# Keys of earlier versions, and their present names.
RENAMED_KEYS = {
    "referee": "reference",
    "cells.protocol.volume_search": "cells.volume",
    "surrogate.test_compositions": "test_compositions",
    "generator.steps": "generator.training_steps",
    "generator.samples": "generated_cells",
}
# Sections of several kinds: pydantic inserts the kind into the location of an error.
UNIONS = ("potential", "surrogate", "generator", "runner")


def load_configuration(path: Path) -> CampaignConfiguration:
    """Read and validate a campaign file.

    Raises:
        InputError: the file is absent or not YAML, or a key or value is wrong; the message names file and key.
    """
    content = load_yaml(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: a campaign file is a mapping of keys, see `vitrion campaign schema`")
    try:
        return CampaignConfiguration.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {_format_error(error)}") from error
    except OverflowError as error:
        raise InputError(f"{path}: a length or time step is infinite or too small: correct it ({error})") from error


def _format_error(error: ValidationError) -> str:
    """Return the first validation error as one line."""
    fault = error.errors()[0]
    parts = [str(part) for part in fault["loc"]]
    if parts[:1] and parts[0] in UNIONS and (len(parts) > 2 or parts[0] == "potential"):  # noqa: PLR2004 - section, kind, key
        del parts[1:2]
    if parts[:1] == ["fidelities"]:
        del parts[2:3]  # the kind, after the place in the list
    location = ".".join(parts) or "campaign"
    if fault["type"] == "extra_forbidden":
        if location in RENAMED_KEYS:
            return f"unknown key `{location}`: it is now called `{RENAMED_KEYS[location]}`"
        allowed = _allowed_keys(CampaignConfiguration.model_json_schema(), fault["loc"])
        near = difflib.get_close_matches(str(fault["loc"][-1]), allowed, n=1, cutoff=0.0)
        return f"unknown key `{location}`" + (f": did you mean `{near[0]}`?" if near else "")
    if fault["type"] == "union_tag_invalid":
        return f"`{location}` has no {fault['ctx']['tag']!r}: choose from {fault['ctx']['expected_tags']}"
    if fault["type"] == "missing":
        return f"`{location}` is missing"
    message = fault["msg"].removeprefix("Value error, ")
    # Printing a whole section would not help.
    value = "" if isinstance(fault["input"], dict) else f" (it is {fault['input']!r:.60})"
    return f"`{location}`: {message}{value}"


def _allowed_keys(schema: dict[str, Any], location: tuple[int | str, ...]) -> list[str]:
    """Return the property names of the section that holds a location."""
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
