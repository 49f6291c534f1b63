"""Installation of weights into the folder of installed weights, checked by sha256.

Weights that are published as files are given by the user (`--file`), and their sha256 is recorded. NEP89's file is part
of the wheel of the package NepTrainKit. The wheel is downloaded by the user's own pip (or uv), hence from their own
package index, without its dependencies; the one file is extracted and nothing of the package is installed or run.
"""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from vitrion_models.errors import CheckpointError, InputError, MissingDependencyError
from vitrion_models.files import whole_file
from vitrion_workflows.potentials.adapters.nep import NEP89_FILE, NEP89_SHA256
from vitrion_workflows.potentials.entry import ProgressCallback
from vitrion_workflows.potentials.registry import find, installed
from vitrion_workflows.potentials.weights.package import sha256_of, weights_folder
from vitrion_workflows.potentials.weights.user_weights import UserWeights

# Both carry the same file. The wheel is never installed: naming one platform and one Python gives the same wheel on all
# machines, also on those for which none exists.
CARRIERS = ("neptrainkit==2.5.4", "neptrainkit==2.5.3")
WHEEL_OPTIONS = (
    *("--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
    *("--platform", "manylinux2014_x86_64"),
)
MEMBER = "NepTrainKit/Config/nep89.txt"
DOWNLOAD_SECONDS = 600


def install(name: str, *, file: Path | None = None, on_progress: ProgressCallback | None = None) -> Path | None:
    """Install the weights of a potential where `load` finds them.

    Args:
        name: registry name.
        file: weights already on this machine; downloaded with pip when None.
        on_progress: called with one line for each stage.

    Returns:
        Path of the installed file, or None where the weights are part of an installed package.

    Raises:
        InputError: there is no such potential, or it takes no file.
        MissingDependencyError: the file could not be downloaded, or the package has to be installed by the user.
        CheckpointError: the file has another sha256.
    """
    entry, _ = find(name)
    report = on_progress or _silent
    if entry.name == "nep89":
        return _install_nep89(file, report)
    if entry.user_weights is not None:
        return _install_user_weights(entry.user_weights, file, report)
    if file is not None:
        raise InputError(f"potential {name} takes no --file: {entry.how_to_install}")
    available = installed(name)
    if not available.ok:
        raise MissingDependencyError(available.reason)
    report(f"{name} is ready: {available.reason}")
    return None


def _install_nep89(file: Path | None, report: ProgressCallback) -> Path:
    target = weights_folder() / NEP89_FILE
    if file is None and target.is_file() and sha256_of(target) == NEP89_SHA256:
        report(f"{target} is already installed, sha256 checked")
        return target
    with tempfile.TemporaryDirectory(prefix="vitrion-potential-") as scratch:
        source = file if file is not None else _fetch(Path(scratch), report)
        if not source.is_file():
            raise InputError(f"{source} is not a file: give the path of {NEP89_FILE}")
        digest = sha256_of(source)
        if digest != NEP89_SHA256:
            raise CheckpointError(
                f"{source} has sha256 {digest[:12]}..., nep89 needs {NEP89_SHA256[:12]}...: get the original file",
            )
        _copy(source, target)
    report(f"{target} installed, sha256 checked")
    return target


def _install_user_weights(weights: UserWeights, file: Path | None, report: ProgressCallback) -> Path:
    if file is None:
        digest = weights.require()
        report(f"{weights.path} is already installed, sha256 {digest} checked")
        return weights.path
    if not file.is_file():
        raise InputError(f"{file} is not a file: {weights.advice}")
    _copy(file, weights.path)
    report(f"{weights.path} installed, sha256 {weights.write_record()} recorded")
    return weights.path


def _copy(source: Path, target: Path) -> None:
    try:
        with whole_file(target) as partial:
            shutil.copyfile(source, partial)
    except OSError as error:
        raise InputError(f"cannot write {target} ({error.strerror}): set VITRION_POTENTIALS to a folder") from error


def _fetch(scratch: Path, report: ProgressCallback) -> Path:
    failures: list[str] = []
    for requirement in CARRIERS:
        report(f"downloading {requirement} (only its file {NEP89_FILE})")
        for command in _downloaders():
            folder = scratch / f"{requirement.partition('==')[2]}-{len(failures)}"
            folder.mkdir()
            failure = _download([*command, *WHEEL_OPTIONS, "--dest", str(folder), requirement])
            extracted = _extract(folder, scratch) if failure is None else None
            if extracted is not None:
                return extracted
            failures.append(failure or f"{requirement} holds no {MEMBER}")
    raise MissingDependencyError(
        f"could not download nep89 ({failures[0] if failures else 'neither pip nor uv is installed'}): "
        "get nep89.txt yourself and give --file, or use chgnet",
    )


def _downloaders() -> list[list[str]]:
    # `uv pip` has no download command; `uv tool run pip` works in environments without a pip.
    candidates: list[list[str]] = []
    arguments = ["download", "--no-deps", "--disable-pip-version-check", "--no-input", "--quiet"]
    if find_spec("pip") is not None:
        candidates.append([sys.executable, "-m", "pip", *arguments])
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is not None:
        candidates.append([uv, "tool", "run", "--quiet", "pip", *arguments])
    return candidates


def _download(command: list[str]) -> str | None:
    # None on success, else the last error line of the downloader.
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {DOWNLOAD_SECONDS} s"
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or [f"exit code {done.returncode}"])[-1]


def _extract(folder: Path, scratch: Path) -> Path | None:
    # Only the one member is extracted, to a fixed name: the archive cannot choose where it is written.
    target = scratch / NEP89_FILE
    for archive in sorted(path for path in folder.iterdir() if zipfile.is_zipfile(path)):
        with zipfile.ZipFile(archive) as wheel:
            if MEMBER in wheel.namelist():
                with wheel.open(MEMBER) as member, target.open("wb") as out:
                    shutil.copyfileobj(member, out)
                return target
    return None


def _silent(_line: str) -> None:
    """Ignore a progress line."""
