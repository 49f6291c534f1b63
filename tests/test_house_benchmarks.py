"""`make bench` must run through where the real data are not at hand."""

import runpy
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
# Those that measure nothing without real data.
ON_DATA = ("aimd", "arrhenius", "force_check", "gates", "judgements", "rdf_dft", "replay", "silica", "trajectories")


@pytest.mark.parametrize("name", ON_DATA)
def test_a_benchmark_on_real_data_skips_with_a_line_where_there_are_none(name, monkeypatch, capsys):
    monkeypatch.delenv("VITRION_DATA_MIRROR", raising=False)
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])

    ended = 0
    try:
        runpy.run_path(str(BENCHMARKS / f"{name}.py"), run_name="__main__")
    except SystemExit as end:
        ended = end.code

    assert not ended
    written = capsys.readouterr()
    assert written.out == ""
    assert "VITRION_DATA_MIRROR" in written.err
    assert len(written.err.splitlines()) == 1
