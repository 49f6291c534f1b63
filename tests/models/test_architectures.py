"""Every architecture is a folder of one shape, with stored checkpoints of its earlier versions."""

import importlib
from pathlib import Path

import pytest

from vitrion_models import generators, surrogates

KINDS = [surrogates.ARCHITECTURES, generators.ARCHITECTURES]
MODULES = ("config.py", "model.py", "trainer.py", "checkpoints.py", "README.md")


@pytest.mark.parametrize(
    ("kind", "name", "package"),
    [(kind.kind, name, package) for kind in KINDS for name, package in kind.folders.items()],
)
def test_an_architecture_has_its_modules_and_its_stored_checkpoints(kind, name, package):
    folder = Path(importlib.import_module(package).__file__).parent
    assert not [module for module in MODULES if not (folder / module).is_file()]
    checkpoints = importlib.import_module(f"{package}.checkpoints")
    assert set(checkpoints.UPGRADES) == set(range(1, checkpoints.VERSION))
    stored = Path(__file__).parent / f"{kind}s" / "checkpoints"
    for version in range(1, max(checkpoints.VERSION, 2)):
        assert (stored / f"{name}_v{version}.safetensors").stat().st_size < 100_000
