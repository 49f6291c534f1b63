"""Mutations of good files of every kind: read, or refused in one line (long form: benchmarks/fuzzing.py)."""

import pytest
from fuzzing import fuzz, targets

from vitrion_workflows.formats.registry import FORMATS

INPUTS = 40  # of each kind
BY_EXTRAS = {"gromacs", "netcdf"}  # read by a library that not every installation has


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def every_target(folder):
    return targets(folder)


def test_good_files_are_read(every_target, folder):
    assert not [target.name for target in every_target if target.outcome(target.good, folder) != "accepted"]


def test_every_format_is_fuzzed(every_target):
    assert not {each.name for each in FORMATS} - BY_EXTRAS - {target.format_name for target in every_target}


def test_mutations_are_read_or_refused_in_one_line(every_target, folder):
    tallies = {target.name: fuzz(target, folder, inputs=INPUTS, seed=0) for target in every_target}
    assert not {name: (tally.error, tally.fault) for name, tally in tallies.items() if tally.error}
    assert all(tally.refused for tally in tallies.values())
