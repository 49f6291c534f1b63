"""Options that take one value, given twice."""

import pytest

from vitrion.cli.app import run


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["diffusivity", "run.h5", "--species", "Li", "--charge", "Li=1", "--charge", "Cl=-1"], "--charge is given 2"),
        (["label", "cell.cif", "-t", "1000", "-t", "1500"], "--temperature is given 2"),
        (["labels", "list", "--limit", "3", "--limit", "5"], "--limit is given 2"),
    ],
)
def test_of_two_values_none_is_taken_unsaid(capsys, words, told):
    assert run(words) == 2
    line = capsys.readouterr().err
    assert told in line
    assert line.count("\n") == 1


def test_switches_and_lists_may_be_repeated(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["potentials", "list", "--json", "--json"]) == 0
    assert capsys.readouterr().err == ""
