"""Extended XYZ of GPUMD (dump_xyz, dump_exyz): times in fs, velocities in Angstrom per fs, energies in eV."""

from pathlib import Path

from vitrion_models.system import FloatArray
from vitrion_workflows.formats.ase.momenta import momenta_of
from vitrion_workflows.formats.frames import FrameFile, FrameOptions
from vitrion_workflows.formats.xyz.columns import Values
from vitrion_workflows.formats.xyz.frames import Dialect, read_dialect

A_PER_PS = 1e3  # of an Angstrom per fs


def read_frames(path: Path, options: FrameOptions) -> FrameFile:
    """Read every frame; positions that GPUMD has unwrapped are preferred.

    Raises:
        InputError: as for other XYZ files.
    """
    return read_dialect(path, options, GPUMD)


def _momenta(values: Values, masses_u: FloatArray) -> FloatArray | None:
    velocities = values.vectors("vel")
    return None if velocities is None else momenta_of(velocities * A_PER_PS, masses_u)


GPUMD = Dialect(time_keys={"Time": 1e-3}, positions={"unwrapped_position": True, "pos": False}, momenta=_momenta)
