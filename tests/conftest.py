"""Options, markers and fixtures that every floor's tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# A busy machine is no fault of the code: no property test fails for its speed.
settings.register_profile("vitrion", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vitrion")

pytest_plugins = ["vitrion_fixtures"]


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run what takes longer than a minute")


def pytest_collection_modifyitems(config, items):
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: give --slow"))
        if "data" in item.keywords and not (mirror and Path(mirror).is_dir()):
            item.add_marker(pytest.mark.skip(reason="VITRION_DATA_MIRROR names no folder of real data"))
