"""Devices that a potential can run on: ``cpu``, ``cuda``, ``cuda:1``, the choice ``auto``, and the threads of a CPU."""

import ctypes
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows.potentials.entry import PotentialEntry

AUTO = "auto"
CPU = "cpu"
PATTERN = r"auto|cpu|cuda(:\d+)?"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def check_device_name(device: str) -> str:
    """Return the name of a device, if it is one.

    Raises:
        InputError: it is not.
    """
    if not re.fullmatch(PATTERN, device):
        raise InputError(f"device {device!r} is unknown: give auto, cpu, cuda, or cuda:1 for the second GPU")
    return device


def choose_device(entry: PotentialEntry, device: str) -> str:
    """Return the device on which a potential will run: ``cpu``, ``cuda`` or ``cuda:1``.

    Args:
        entry: the potential.
        device: the one that was asked for; ``auto`` takes the first GPU if there is one that the potential can use.

    Raises:
        InputError: no such kind of device, or a GPU for a potential that cannot use one.
        MissingDependencyError: torch sees no such GPU.
    """
    if check_device_name(device) == CPU or (device == AUTO and not entry.gpu):
        return CPU
    if not entry.gpu:
        raise InputError(f"device {device!r} is a GPU, which potential {entry.name} cannot use: leave the device out")
    gpus = count_gpus()
    if device == AUTO:
        return "cuda" if gpus else CPU
    if int(device.partition(":")[2] or 0) >= gpus:
        visible = f"torch sees {gpus} GPUs" if gpus else "torch sees no GPU"
        raise MissingDependencyError(f"device {device!r} is not there: {visible}; use cpu, or see vitrion doctor")
    return device


def count_gpus() -> int:
    """Return the number of GPUs that torch sees; without a driver torch, slow to import, is not asked."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    import torch  # noqa: PLC0415 - seconds

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Give one thread to libraries that are loaded, and to processes that are started, within this context.

    The variables are read once, when a library is loaded. Two processes of one thread each do twice the work of one
    process of two threads; on a busy machine two threads that wait by spinning took 40 ms where one takes 1.5 ms.
    """
    missing = [variable for variable in THREAD_VARIABLES if variable not in os.environ]
    os.environ.update(dict.fromkeys(missing, "1"))
    try:
        yield
    finally:
        for variable in missing:
            del os.environ[variable]
