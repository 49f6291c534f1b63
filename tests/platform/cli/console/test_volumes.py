"""Lines on the volumes of cells."""

import math

from vitrion.cli.console.volumes import describe_volumes
from vitrion_workflows.schemas import VolumeEstimates


def test_estimates_of_which_one_is_half_as_large_again_differ_by_50_percent():
    volumes = VolumeEstimates(
        rule="rule",
        temperature_K=1000.0,
        volume_A3_per_atom=20.0,
        ln_stderr=0.05,
        ln_expansion_per_K=1e-4,
        ln_expansion_stderr_per_K=0.0,
        estimates=(),
        ln_spread=math.log(1.5),
    )
    assert "differ by 50 %" in describe_volumes(volumes)
