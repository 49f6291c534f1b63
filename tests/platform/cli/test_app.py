import errno
import os
import subprocess
import sys
import types

import pytest
import typer
from pydantic import BaseModel

from vitrion.cli import app, nouns
from vitrion_models.errors import InputError


class Settings(BaseModel):
    temperature_K: float
    seed: int


def _raise(fault):
    def command():
        raise fault

    return command


@pytest.fixture
def noun(monkeypatch):
    """Put a function behind the noun `init`, which exists in every installation."""

    def install(**content):
        module = types.ModuleType("vitrion.cli.init")
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, "vitrion.cli.init", module)

    monkeypatch.setattr(nouns, "NOUNS", {"init": nouns.Noun("init", "Make it.")})
    monkeypatch.setattr(nouns.Noun, "is_present", True)
    return install


def test_help_lists_the_nouns(capsys):
    assert app.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("doctor", "label", "campaign"))


def test_version(capsys):
    assert app.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("vitrion ")


def test_a_noun_without_its_module_is_not_listed(monkeypatch, capsys):
    monkeypatch.setattr(nouns, "NOUNS", {"nowhere": nouns.Noun("nowhere", "Absent.")})
    assert app.run(["--help"]) == 0
    assert "nowhere" not in capsys.readouterr().out


def test_misspelt_noun_is_one_line_and_exit_2(capsys):
    assert app.run(["docter"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "Did you mean 'doctor'" in captured.err


@pytest.mark.parametrize("arguments", [["init"], ["init", "list", "--nonsense"], ["init", "lst"]])
def test_misuse_of_a_group_is_one_line(noun, capsys, arguments):
    group = typer.Typer()
    group.command("list")(lambda: None)
    noun(app=group)
    assert app.run(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("vitrion: ")
    assert error.count("\n") == 1


def test_an_app_with_one_verb_stays_a_group(noun):
    called = []
    group = typer.Typer()
    group.command("list")(lambda: called.append(1))
    noun(app=group)
    assert app.run(["init", "list"]) == 0
    assert called == [1]


def test_a_function_is_its_own_verb(noun, capsys):
    def command(name: str) -> None:
        sys.stdout.write(f"hello {name}\n")

    noun(command=command)
    assert app.run(["init", "Li3PS4"]) == 0
    assert capsys.readouterr().out == "hello Li3PS4\n"


def _invalid() -> Exception:
    try:
        Settings.model_validate({"temperature_K": "hot"})
    except ValueError as fault:
        return fault
    raise AssertionError


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (InputError("cell.cif: no\nlattice"), "vitrion: cell.cif: no lattice\n"),
        (_invalid(), "vitrion: Settings: temperature_K: Input should be a valid number"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a.h5"), "vitrion: the disk is full at a.h5"),
    ],
)
def test_faults_of_the_user_are_one_line_and_exit_2(noun, capsys, fault, expected):
    noun(command=_raise(fault))
    assert app.run(["init"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(expected)
    assert error.count("\n") == 1


def test_a_full_disk_inside_another_exception_is_told_as_one(noun, capsys):
    fault = RuntimeError("could not write")
    fault.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    noun(command=_raise(fault))
    assert app.run(["init"]) == 2
    assert "disk is full" in capsys.readouterr().err


def test_an_exception_that_is_its_own_cause_ends_the_search(noun):
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__cause__ = second, first
    noun(command=_raise(first))
    with pytest.raises(RuntimeError, match="first"):
        app.run(["init"])


@pytest.mark.parametrize("fault", [ZeroDivisionError("ours"), FileNotFoundError(errno.ENOENT, "gone")])
def test_our_bugs_keep_their_traceback(noun, fault):
    noun(command=_raise(fault))
    with pytest.raises(type(fault)):
        app.run(["init"])


def test_a_broken_noun_leaves_the_others_alone(noun):
    noun()
    with pytest.raises(TypeError, match="neither"):
        app.run(["init"])
    assert app.run(["--help"]) == 0


def test_exit_codes_of_commands_pass_through(noun):
    noun(command=_raise(typer.Exit(7)))
    assert app.run(["init"]) == 7


def test_interrupt_is_130_and_one_line(noun, capsys):
    noun(command=_raise(KeyboardInterrupt()))
    assert app.run(["init"]) == 130
    assert capsys.readouterr().err == "vitrion: interrupted\n"


def test_a_reader_that_leaves_is_no_error():
    script = (
        "import sys\n"
        "from vitrion.cli import app, nouns\n"
        "from vitrion.cli.console.output import emit\n"
        "nouns.app.command('flood')(lambda: emit([{'n': n} for n in range(100000)], as_json=True))\n"
        "nouns.LazyGroup.resolve_command = nouns.typer.core.TyperGroup.resolve_command\n"
        "sys.exit(app.run(['flood']))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert error == b""


def _integer_options(name, command):
    for word, inner in getattr(command, "commands", {}).items():
        yield from _integer_options(f"{name} {word}", inner)
    for option in command.params:
        if option.type_descriptor.annotation is int:
            yield name, option.opts[0], option.max


def test_every_integer_option_is_bounded_by_what_a_database_holds():
    options = [option for noun in nouns.NOUNS for option in _integer_options(noun, nouns.load(noun))]
    assert options
    assert not [option for option in options if option[2] is None or option[2] > 2**63 - 1]


@pytest.mark.parametrize(
    "words", [("ingest", "structures", ""), ("predict", ""), ("structures", "list", "--formula", "")]
)
def test_an_empty_argument_is_no_folder(capsys, words):
    """`vitrion ingest structures "$FILE"` of an unset variable stored whatever lay in the present folder."""
    assert app.run([*words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "empty" in line


def test_an_argument_that_is_not_utf_8_is_refused(capsys):
    assert app.run(["structures", "show", os.fsdecode(b"Li\xe9")]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_control_characters_of_a_name_do_not_reach_the_terminal(noun, capsys):
    noun(command=_raise(InputError(f"\x1b[31mred.cif: {'x' * 10**6}: correct it")))
    assert app.run(["init"]) == 2
    line = capsys.readouterr().err
    assert line.rstrip("\n").isprintable()
    assert len(line) < 1000
    assert "correct it" in line
