"""Density of molten LiCl, LiF and Li2SiO3 at zero pressure against published values, for each potential.

NEP89 starts from a random packing. The reference potentials (CHGNet, DIEP) are tens of times slower and start from the
melt of NEP89, so that a short search finds their volume. Each figure has the standard error of its search.

    python benchmarks/melts.py                                          # NEP89, one minute
    python benchmarks/melts.py --references chgnet diep --results melts.jsonl

One JSON line a figure: name, value, unit, baseline (published), ratio.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from figures import figure, keep_line, show  # noqa: E402

from vitrion_models.errors import VitrionError  # noqa: E402
from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.amorphous import VolumeSearchFailed, relaxed_packing, search_volume  # noqa: E402
from vitrion_workflows.dynamics import DynamicsError  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas import CellProtocol  # noqa: E402
from vitrion_workflows.validation.density_and_contacts import density_g_cm3  # noqa: E402

VOLUME_SCALE = 1.15
PRODUCTION = "nep89"


@dataclass(frozen=True)
class Melt:
    """One melt.

    Attributes:
        formula: chemical formula.
        temperature_K: temperature, within the range of the measurement.
        density_g_cm3: published density.
        atoms: number of atoms for the production potential.
        reference_atoms: number of atoms for the reference potentials.
    """

    formula: str
    temperature_K: float
    density_g_cm3: float
    atoms: int
    reference_atoms: int


# LiCl, LiF: density at the melting point and its slope, CRC Handbook of Chemistry and Physics, "Density of molten
# elements and representative salts", after Janz, J. Phys. Chem. Ref. Data 17, Suppl. 2 (1988): 1.502 at 610 C, 4.32e-4;
# 1.81 at 848.2 C, 4.90e-4 g/cm3/K.
# Li2SiO3: additive molar volumes of silicate liquids at 1673 K, Li2O 16.85 and SiO2 26.90 cm3/mol, Lange and
# Carmichael, Rev. Mineral. 24, 25 (1990): 89.97 g/mol over 43.75 cm3/mol.
MELTS = (
    Melt("LiCl", 1000.0, 1.502 - 4.32e-4 * (1000.0 - 883.15), 64, 32),
    Melt("LiF", 1200.0, 1.81 - 4.90e-4 * (1200.0 - 1121.35), 64, 32),
    Melt("Li2SiO3", 1673.0, 89.97 / 43.75, 72, 36),
)


def packed(melt: Melt, field: ForceField, *, atoms: int, volume_ps: float, seed: int) -> AtomicSystem:
    """Return a melt at the equilibrium volume of a potential, made from the formula alone."""
    start = relaxed_packing(melt.formula, field, n_atoms=atoms, volume_scale=VOLUME_SCALE, seed=seed)
    # Melted at 2000 K: at its own temperature a glass former would keep the structure of the packing.
    hot = search_volume(start, field, protocol=protocol(2000.0, volume_ps), seed=seed)[0]
    return search_volume(hot, field, protocol=protocol(melt.temperature_K, volume_ps), seed=seed + 20)[0]


def protocol(temperature_K: float, volume_ps: float) -> CellProtocol:
    """Return the protocol of the volume search."""
    return CellProtocol(melt_temperature_K=temperature_K, volume_ps=volume_ps)


def measure(melt: Melt, field: ForceField, start: AtomicSystem, *, volume_ps: float, seed: int) -> dict[str, Any]:
    """Measure the density of a melt with one potential, starting from a molten cell."""
    begun = time.process_time()
    name = f"melt_{melt.formula}_{melt.temperature_K:.0f}K_{field.name}"
    more: dict[str, Any] = {"atoms": len(start), "volume_ps": volume_ps}
    try:
        system, record = search_volume(start, field, protocol=protocol(melt.temperature_K, volume_ps), seed=seed)
    except (VolumeSearchFailed, DynamicsError) as failure:
        return figure(name, None, "g/cm3", melt.density_g_cm3, message=str(failure), **more)
    density = density_g_cm3(system)
    more |= {"stderr": density * record.stderr_A3 / record.volume_A3, "runs": len(record.points)}
    return figure(name, density, "g/cm3", melt.density_g_cm3, cpu_seconds=round(time.process_time() - begun, 1), **more)


def figures(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure the production potential, or the reference potentials from its melts."""
    production = potentials.load(PRODUCTION)
    options = {"volume_ps": arguments.volume_ps, "seed": arguments.seed}
    if not arguments.references:
        for melt in MELTS:
            yield measure(melt, production, packed(melt, production, atoms=melt.atoms, **options), **options)
    for name in arguments.references:
        reference = potentials.load(name)
        for melt in MELTS:
            start = packed(melt, production, atoms=melt.reference_atoms, **options)
            yield measure(melt, reference, start, volume_ps=arguments.reference_ps, seed=arguments.seed)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", nargs="*", default=[], help="instead of NEP89: chgnet, diep")
    parser.add_argument("--volume-ps", type=float, default=0.6)
    parser.add_argument("--reference-ps", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--results", type=Path, help="the lines are appended here too")
    arguments = parser.parse_args()
    try:
        for line in figures(arguments):
            show(line)
            keep_line(arguments.results, line)
    except VitrionError as missing:
        print(f"melts: ended, {missing}", file=sys.stderr)


if __name__ == "__main__":
    main()
