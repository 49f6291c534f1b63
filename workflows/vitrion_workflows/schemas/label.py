"""Output of the jobs that label a cell: a diffusivity with its interval, gates, method and motion of the ions."""

import hashlib
import json
import math
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from vitrion_workflows.schemas.force_check import ForceCheck
from vitrion_workflows.schemas.gate import GateOutcome, failed_gates
from vitrion_workflows.schemas.homonuclear import HomonuclearBonds
from vitrion_workflows.schemas.layout import LAYOUT, LayoutVersion
from vitrion_workflows.schemas.method import MethodRecord

# A run that may end early holds enough frames for an estimate, twice over, whatever is discarded of it.
FEWEST_FRAMES_TO_END = 50
# Raise it whenever a gate is added, removed or changes its meaning: older labels were not tested by it.
GATE_VERSION = 2


class Motion(BaseModel):
    """Cheap observables of the mobile species, for analysis; no gate judges them.

    Attributes:
        principal: eigenvalues of the diffusivity tensor, cm2/s, greatest first; of an isotropic cell they differ by
            their errors.
        isotropic_p: probability that isotropic motion looks as anisotropic as this.
        collective: diffusivity of the summed displacement, cm2/s; a single walker.
        collective_stderr: its standard error.
        haven_interval_95: of tracer over collective diffusivity; None where that is not known.
        green_kubo: diffusivity from the velocity autocorrelation, cm2/s; None where frames are too far apart.
        green_kubo_stderr: its standard error.
        alpha2: greatest non-Gaussian parameter.
        alpha2_ps: lag at which it is reached.
        turned: share of the framework's bonded groups that turned within half the run; None without such groups.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    principal: tuple[float, float, float]
    isotropic_p: float
    collective: float
    collective_stderr: float
    haven_interval_95: tuple[float, float] | None = None
    green_kubo: float | None = None
    green_kubo_stderr: float | None = None
    alpha2: float
    alpha2_ps: float
    turned: float | None = None


class Convention(StrEnum):
    """Convention of a diffusivity. Only the first is stored; the others are converted on ingest."""

    EINSTEIN_3D = "einstein_3d"  # lim MSD / 6t
    SLOPE_HALF = "slope_half"  # lim MSD / 2t of the summed three-dimensional MSD: three times Einstein


class LabelState(StrEnum):
    """Verdict of the gates, or that there were none."""

    ACCEPTED = "accepted"  # of a run that is on record, with an interval, the weights' identity and gates all passed
    REJECTED = "rejected"
    CENSORED = "censored"  # the value is an upper bound
    PUBLISHED = "published"  # somebody else's value, as its source gives it: no gate of ours was asked


def _of_a_run(state: LabelState) -> LabelState:
    if state is LabelState.PUBLISHED:
        raise ValueError("a run's label is accepted, rejected or censored; published are values from elsewhere")
    return state


class FrameworkState(StrEnum):
    """State of the immobile sublattice during the run."""

    VIBRATING = "vibrating"
    ROTATING = "rotating"  # it stands, and its bonded groups turn
    MOLTEN = "molten"
    ABSENT = "absent"  # every atom is of the mobile species


class StopReason(StrEnum):
    """Why a label's run ended."""

    TARGET = "target"  # its error had reached the target
    MOST = "most"  # it had its longest time
    HOPELESS = "hopeless"  # not even at its upper bound would the diffusivity be known well enough


class LabelProtocol(BaseModel):
    """Numbers of a labelling run; its JSON enters the label's key.

    Attributes:
        time_step_fs: integration time step.
        frame_interval_fs: time between analysed frames, a multiple of the time step.
        production_ps: length of the trajectory that is analysed, equilibration included; what is discarded is
            decided by a statistical rule and recorded.
        thermostat: ``nose-hoover`` (a chain, which leaves diffusion alone) or ``langevin`` (BAOAB, which slows it a
            little; docs/design/engine.md).
        friction_per_ps: Langevin friction, or 1/tau of the Nose-Hoover chain.
        target_log10_stderr: standard error of log10 D, in decades, at which the run ends before production_ps; None
            runs all of it.
        least_ps: shortest run where it may end early.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    time_step_fs: float = Field(default=2.0, gt=0, le=5)
    frame_interval_fs: float = Field(default=20.0, gt=0)
    production_ps: float = Field(default=12.0, gt=0)
    thermostat: str = Field(default="nose-hoover", pattern="^(langevin|nose-hoover)$")
    friction_per_ps: float = Field(default=10.0, gt=0)

    target_log10_stderr: float | None = Field(default=None, gt=0)
    least_ps: float | None = Field(default=None, gt=0)

    @model_serializer(mode="wrap")
    def _without_what_is_not_set(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Keys of labels made before these fields existed stay what they were.
        dumped: dict[str, Any] = whole(self)
        return {name: value for name, value in dumped.items() if value is not None}

    @model_validator(mode="after")
    def _ends_when_it_can(self) -> "LabelProtocol":
        if (self.target_log10_stderr is None) != (self.least_ps is None):
            raise ValueError("target_log10_stderr and least_ps belong together: give both or neither")
        if self.least_ps is not None and not (
            FEWEST_FRAMES_TO_END * self.frame_interval_fs <= 1000 * self.least_ps <= 1000 * self.production_ps
        ):
            raise ValueError(
                f"least_ps {self.least_ps:g} must lie between {FEWEST_FRAMES_TO_END} frames of "
                f"{self.frame_interval_fs:g} fs and production_ps {self.production_ps:g}",
            )
        return self

    @model_validator(mode="after")
    def _frames_are_steps(self) -> "LabelProtocol":
        if (
            not math.isclose(self.frame_interval_fs, self.steps_per_frame * self.time_step_fs)
            or not self.steps_per_frame
        ):
            raise ValueError(
                f"frame_interval_fs {self.frame_interval_fs} is not a multiple of time_step_fs {self.time_step_fs}",
            )
        if not self.frames:
            raise ValueError(
                f"production_ps {self.production_ps:g} holds no frame of {self.frame_interval_fs:g} fs: "
                "give a shorter frame interval or a longer run",
            )
        return self

    def lasting(self, production_ps: float) -> "LabelProtocol":
        """Return the protocol with another longest time; without an early end where that leaves no room for one."""
        changed = {**self.model_dump(), "production_ps": production_ps}
        if self.least_ps is not None and self.least_ps > production_ps:
            changed |= {"target_log10_stderr": None, "least_ps": None}
        return LabelProtocol.model_validate(changed)

    @property
    def sha256(self) -> str:
        """The sha256 of its JSON, for grouping labels."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def steps_per_frame(self) -> int:
        """Integration steps between two analysed frames."""
        return round(self.frame_interval_fs / self.time_step_fs)

    @property
    def frames(self) -> int:
        """Frames after the initial one."""
        return round(self.production_ps * 1000 / self.frame_interval_fs)


class MsdTable(BaseModel):
    """Mean squared displacement of the mobile species against lag time, with its standard error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lag_ps: tuple[float, ...]
    msd_A2: tuple[float, ...]
    stderr_A2: tuple[float, ...]


class LabelFields(BaseModel):
    """A property with its interval and how it was obtained: the fields that every label has, each declared here once.

    Attributes:
        gate_version: version of the quality gates; None for values from elsewhere.
        convention: of a diffusivity (`Convention`).
        structure_fingerprint: the cell; None for a label of a composition.
        value: in `unit`; for a censored label the upper 95 % bound, for a rejected label it may be None.
        interval_68, interval_95: of the value.
        log10_stderr: standard error of log10 of the value, in decades.
        n_eff: effective number of independent displacements.
        exponent, exponent_stderr: of the MSD in the fit window, with lag time.
        fit_window_ps: lag times of the fit.
        equilibration_ps, production_ps: discarded and analysed parts of the trajectory.
        stopped: why the run ended, where the protocol let it end early; then `protocol.production_ps` was planned.
        drift_A: displacement of the centre of mass over the run.
        force_check: agreement of the forces with those of a reference potential; None where none was asked for.
        homonuclear_bonds: bonds between like atoms, mean over frames.
        unexpected_bonds: number of them beyond those that the compound has; None where they were not counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate_version: int | None = None
    property: str = "tracer_diffusivity"
    convention: str
    unit: str = "cm2/s"
    structure_fingerprint: str | None = None
    species: str
    temperature_K: float = Field(gt=0, le=10000)
    state: LabelState
    value: float | None = None
    interval_68: tuple[float, float] | None = None
    interval_95: tuple[float, float] | None = None
    log10_stderr: float | None = None
    n_eff: float | None = None
    exponent: float | None = None
    exponent_stderr: float | None = None
    fit_window_ps: tuple[float, float] | None = None
    equilibration_ps: float | None = None
    production_ps: float | None = None
    stopped: StopReason | None = None
    msd: MsdTable | None = None
    motion: Motion | None = None
    drift_A: float | None = None
    haven_ratio: float | None = None
    framework_state: FrameworkState | None = None
    mean_temperature_K: float | None = None
    gates: tuple[GateOutcome, ...] = ()
    force_check: ForceCheck | None = None
    homonuclear_bonds: tuple[HomonuclearBonds, ...] = ()
    unexpected_bonds: float | None = None
    protocol: LabelProtocol | None = None
    method: MethodRecord | None = None
    trajectory_sha256: str | None = None
    wall_seconds: float | None = None
    device: str | None = None


class LabelOutcome(LabelFields):
    """The label of a run: a tracer diffusivity with what is needed to trust it, or the reason for its rejection.

    `value` is D = lim MSD / (2 d t), d = 3, in cm2/s, of drift-corrected unwrapped displacements. What a published
    value may lack is required here: cell, protocol, method, gates. `schema_version` is the version of this layout.
    """

    schema_version: LayoutVersion = LAYOUT
    gate_version: int = GATE_VERSION
    convention: Convention = Convention.EINSTEIN_3D
    structure_fingerprint: str
    state: Annotated[LabelState, AfterValidator(_of_a_run)]
    value: float | None
    equilibration_ps: float = 0.0
    production_ps: float
    gates: tuple[GateOutcome, ...]
    protocol: LabelProtocol
    method: MethodRecord
    wall_seconds: float = 0.0
    device: str = "cpu"

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, content: Any) -> Any:
        # Outcomes written before gate versions existed kept another number under schema_version.
        if isinstance(content, dict) and "schema_version" in content and "gate_version" not in content:
            return content | {"schema_version": 1, "gate_version": 0}
        return content

    @model_validator(mode="after")
    def _accepted_is_complete(self) -> "LabelOutcome":
        if self.state is not LabelState.ACCEPTED:
            return self
        needed = ("value", "interval_95")
        if missing := [name for name in needed if getattr(self, name) is None]:
            raise ValueError(f"an accepted label must have {', '.join(missing)}")
        if not self.gates:
            raise ValueError("an accepted label must have gates")
        if failed := failed_gates(self.gates):
            raise ValueError(f"an accepted label failed the gates {', '.join(failed)}")
        return self


def gate_version_fault(label: LabelOutcome) -> str | None:
    """Return why a label of another gate version cannot be stored, and the remedy; None for the current version."""
    if label.gate_version == GATE_VERSION:
        return None
    remedy = "label it again" if label.gate_version < GATE_VERSION else "upgrade Vitrion"
    return f"was produced with gate version {label.gate_version} (current: {GATE_VERSION}): {remedy}"
