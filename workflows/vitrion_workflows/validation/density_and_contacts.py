"""Measurements on the cell and the distances of a run: too dilute, overlapping, expanding."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.structure.contacts import NO_CONTACT, closest_contact, least_ratio
from vitrion_workflows.validation.equilibration import change_stderr, relative_change, statistical_inefficiency

# A volume may change by the first in any case, and by the second however large its fluctuations are.
VOLUME_CHANGES, VOLUME_SIGMAS = (0.03, 0.05), 3.5
# Volume over the estimate for the solid: hydroxides 0.4 (their ions overlap), melts at 2500 K twice; a gas 10 and more.
VOLUME_RATIOS = (0.3, 4.0)


def density_g_cm3(system: AtomicSystem) -> float:
    """Return the mass density in g/cm3."""
    return float(system.masses_u.sum() / system.volume_A3 * U_PER_A3_IN_G_PER_CM3)


def measure_density(system: AtomicSystem) -> Measurement:
    """Compare the volume of an atom with that of the solid by ionic radii."""
    from pymatgen.core.composition import Composition  # noqa: PLC0415 - slow to import

    from vitrion_workflows.structure.volume_estimate import estimate_from_composition  # noqa: PLC0415

    composition = Composition(Counter(chemical_symbols[number] for number in sorted(system.numbers.tolist())))
    volume = system.volume_A3 / len(system)
    solid = estimate_from_composition(composition).volume_A3_per_atom
    return measurement_of(
        "density",
        volume,
        lower=VOLUME_RATIOS[0] * solid,
        upper=VOLUME_RATIOS[1] * solid,
        unit="A3/atom",
        message=f"{volume:.3g} A3 an atom, {volume / solid:.2g} times the solid's",
    )


def measure_closest_contact(frames: Iterable[AtomicSystem], *, temperature_K: float) -> Measurement:
    """Compare the closest contact in some frames with the least that atoms have.

    Args:
        frames: of the run.
        temperature_K: of the run: hot atoms collide harder.
    """
    contacts = [contact for contact in map(closest_contact, frames) if contact is not None]
    if not contacts:
        # A cell so dilute is refused by its density.
        return Measurement(name="closest_contact", passed=True, message=NO_CONTACT)
    closest = min(contacts, key=lambda contact: contact.ratio)
    return measurement_of(
        "closest_contact",
        closest.ratio,
        lower=least_ratio(temperature_K),
        message=f"closest pair {closest}",
    )


def measure_volume_change(volumes_A3: FloatArray) -> Measurement:
    """Test whether the volume of a cell at constant pressure goes on changing: such a run has no D.

    A straight line is fitted to the volumes; its error is that of the residuals, correlated as they are.

    Args:
        volumes_A3: of the frames, shape (F,), less at most a quarter as equilibration: a drift looks like a long one.
    """
    change, residuals = relative_change(volumes_A3)
    correlated = float(residuals.std() * np.sqrt(statistical_inefficiency(residuals)))
    limit = float(np.clip(VOLUME_SIGMAS * correlated * change_stderr(len(volumes_A3)), *VOLUME_CHANGES))
    return measurement_of(
        "volume_change",
        change / limit,
        lower=-1.0,
        upper=1.0,
        message=f"the cell's volume changes by {change:+z.1%} over the run, allowed {limit:.1%}",
    )
