"""Plan of a molecular-dynamics run: its length, step, temperature and thermostat."""

import hashlib
import json
from dataclasses import asdict, dataclass

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.errors import InputError
from vitrion_workflows.dynamics.thermostats import THERMOSTATS
from vitrion_workflows.formats.thermostats import COUPLED, thermostat_fault

HOTTEST_K = 20000.0
LONGEST_STEP_FS = 10.0


@dataclass(frozen=True, kw_only=True)
class MDPlan:
    """Numbers of a run; their hash is part of the identity of its folder.

    Attributes:
        steps: integration steps, a multiple of `frame_every`.
        time_step_fs: length of a step.
        temperature_K: of the starting velocities and of the thermostat; with ``nve`` of the starting velocities only.
        final_temperature_K: where given, the thermostat's temperature goes linearly from `temperature_K` to this.
        thermostat: ``langevin`` (BAOAB), ``nose-hoover`` (chain) or ``nve``.
        friction_per_ps: Langevin friction, or 1/tau of the Nose-Hoover chain; None for ``nve``.
        frame_every: steps between stored frames.
        seed: of the starting velocities and of the thermostat's noise.
        remove_drift: keep the total momentum at zero, which the Langevin thermostat does not do by itself.
    """

    steps: int
    time_step_fs: float
    temperature_K: float
    thermostat: str
    frame_every: int
    seed: int
    friction_per_ps: float | None = None
    final_temperature_K: float | None = None
    remove_drift: bool = True

    def __post_init__(self) -> None:
        """Refuse impossible numbers.

        Raises:
            InputError: a number is outside its limits.
        """
        if fault := thermostat_fault(self.thermostat, self.friction_per_ps):
            raise InputError(fault)
        if self.frame_every < 1 or self.steps < self.frame_every or self.steps % self.frame_every:
            raise InputError(f"{self.steps} steps are not a positive multiple of frame_every {self.frame_every}")
        if not 0 < self.time_step_fs <= LONGEST_STEP_FS:
            raise InputError(f"time_step_fs {self.time_step_fs} must lie between 0 and {LONGEST_STEP_FS:g}")
        if self.seed < 0:
            raise InputError(f"seed {self.seed} must not be negative")
        for name in ("temperature_K", "final_temperature_K"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= HOTTEST_K:
                raise InputError(f"{name} {value} must lie between 0 and {HOTTEST_K:g}")
        if self.final_temperature_K is not None and not COUPLED[self.thermostat]:
            raise InputError(f"thermostat {self.thermostat} cannot follow final_temperature_K: it sets no temperature")

    @property
    def time_step_ps(self) -> float:
        """Length of a step in ps."""
        return self.time_step_fs / FEMTOSECONDS_PER_PS

    @property
    def frame_interval_ps(self) -> float:
        """Time between stored frames in ps."""
        return self.frame_every * self.time_step_fs / FEMTOSECONDS_PER_PS

    @property
    def frames(self) -> int:
        """Number of stored frames, the starting frame included."""
        return self.steps // self.frame_every + 1

    @property
    def hottest_K(self) -> float:
        """Highest temperature of the thermostat."""
        return max(self.temperature_K, self.final_temperature_K or 0.0)

    def target_temperature_K(self, step: int) -> float:
        """Return the temperature of the thermostat in the middle of a step."""
        if self.final_temperature_K is None:
            return self.temperature_K
        fraction = (step + 0.5) / self.steps
        return self.temperature_K + fraction * (self.final_temperature_K - self.temperature_K)

    @property
    def set_temperature_K(self) -> float | None:
        """Constant temperature of the thermostat; None where it changes or there is none."""
        constant = self.final_temperature_K in {None, self.temperature_K}
        return self.temperature_K if constant and COUPLED[self.thermostat] else None

    def sha256(self) -> str:
        """Return the identity of the plan in hexadecimal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def describe_thermostat(self) -> str:
        """Return the thermostat with its constant, as method records state it."""
        return THERMOSTATS[self.thermostat].describe(self.friction_per_ps)
