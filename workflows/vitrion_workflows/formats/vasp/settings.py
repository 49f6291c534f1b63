"""Settings of VASP's molecular dynamics: time step, temperature and thermostat."""

from collections.abc import Mapping
from dataclasses import dataclass

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_workflows.formats.frames import floats

DYNAMICS = 0  # of IBRION
VELOCITY_VERLET, LANGEVIN = 0, 3  # of MDALGO
MICROCANONICAL = -3.0  # of SMASS


@dataclass(frozen=True)
class Settings:
    """Settings that concern the frames of a run.

    Attributes:
        time_step_ps: of the dynamics; None for a run that is no dynamics.
        set_temperature_K: constant temperature of the thermostat; None where it changes or there is none.
        thermostat: as of `FrameFile`; empty for Nose-Hoover, whose rate does not follow from SMASS alone.
        friction_per_ps: as of `FrameFile`.
        remarks: on runs that are no dynamics.
    """

    time_step_ps: float | None
    set_temperature_K: float | None
    thermostat: str
    friction_per_ps: float | None
    remarks: tuple[str, ...]


def settings_of(values: Mapping[str, str]) -> Settings:
    """Return the settings that INCAR and VASP's defaults give.

    Args:
        values: words by the name of the setting; IBRION, POTIM, MDALGO, SMASS, TEBEG, TEEND, LANGEVIN_GAMMA are used.

    Raises:
        InputError: a setting is not a number.
    """
    if (ibrion := number(values, "IBRION")) != DYNAMICS:
        stated = "unknown" if ibrion is None else f"{ibrion:g}"
        return Settings(None, None, "", None, (f"IBRION is {stated}: this is no run of molecular dynamics",))
    potim_fs = number(values, "POTIM")
    time_step_ps = None if potim_fs is None else potim_fs / FEMTOSECONDS_PER_PS
    algorithm, mass = number(values, "MDALGO") or VELOCITY_VERLET, number(values, "SMASS")
    first, last = number(values, "TEBEG"), number(values, "TEEND")
    if algorithm == VELOCITY_VERLET and mass == MICROCANONICAL:
        return Settings(time_step_ps, None, "nve", None, ())
    temperature_K = first if first == last else None
    rates = set(floats(values.get("LANGEVIN_GAMMA", "").split(), place="LANGEVIN_GAMMA").tolist())
    if algorithm == LANGEVIN and len(rates) == 1 and min(rates) > 0:
        return Settings(time_step_ps, temperature_K, "langevin", rates.pop(), ())
    return Settings(time_step_ps, temperature_K, "", None, ())


def number(values: Mapping[str, str], name: str) -> float | None:
    """Return a setting as a number; None where it is absent.

    Raises:
        InputError: it is not a number.
    """
    words = values.get(name, "").split()
    return float(floats(words[:1], place=name)[0]) if words else None
