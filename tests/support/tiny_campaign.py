"""A whole campaign on the fast model potential, small enough for a test."""

import os
import subprocess
import sys

import yaml

TINY = {
    "name": "tiny",
    "seed": 3,
    "potential": "lennard-jones",
    "compounds": {"names": ["LiCl", "LiF", "Li2O", "Li2S"]},
    "cells": {
        "atoms": 40,
        "volume": "twin",
        "protocol": {
            "melt_temperature_K": 2000,
            "quench_temperature_K": 300,
            "melt_ps": 0.4,
            "quench_ps": 0.3,
            "hold_ps": 0.1,
        },
    },
    "labels": {
        "temperatures_K": [1500, 2500],
        "target_temperature_K": 1500,
        "protocol": {"time_step_fs": 2.0, "frame_interval_fs": 10.0, "production_ps": 6.0, "friction_per_ps": 10.0},
    },
    "cycles": 2,
    "initial": 3,
    "acquisition": {"batch": 3, "random": 1},
    "test_compositions": 1,
    "surrogate": {"members": 2, "steps": 4},
    "generator": {"training_steps": 4},
    "generated_cells": 1,
}


def write_tiny(path, **changes):
    """The campaign file with some keys changed; returns its path."""
    path.write_text(yaml.safe_dump({**TINY, **changes}))
    return path


def labels_of(db, campaign="tiny"):
    """What decides whether two campaigns ended alike: the labels with their values, by key."""
    return {
        row.key: (row.reduced_formula, row.temperature_K, row.arm, row.cycle, row.state, row.value, row.log10_stderr)
        for row in db.labels.search(campaign=campaign)
    }


def start_vitrion(folder, *words, **settings):
    """A command in a process of its own, on the embedded database below its folder unless settings say otherwise."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VITRION_")}
    return subprocess.Popen(
        [sys.executable, "-m", "vitrion", *words],
        cwd=folder,
        env={**kept, "OMP_NUM_THREADS": "1", "VITRION_HOME": str(folder / "home"), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_campaign(folder):
    """Its file `campaign.yaml`, run to the end."""
    return start_vitrion(folder, "campaign", "run", "--quiet", "--json", "campaign.yaml")


def finish(process, *, timeout=600):
    """Errors that a command printed, once it has ended well."""
    _, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors
    return errors
