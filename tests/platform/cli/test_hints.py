"""Options that messages name are options of the commands that show them."""

import ast
import re
from pathlib import Path

import pytest

from vitrion.cli import nouns
from vitrion.cli.app import run

ROOT = Path(__file__).parents[3]
PACKAGES = ("models/vitrion_models", "workflows/vitrion_workflows", "platform/vitrion")
OPTION = re.compile(r"(?<![\w-])--(?!help\b)[a-z][A-Za-z0-9-]*")
COMMAND = re.compile(r"`vitrion ([a-z]+)(?: ([a-z]+))?([^`]*)`")
READING = ("ingest structures", "diffusivity")  # what reads other files passes on `hints_of_ingest`
SHOWN_BY = {  # modules below the command line that name options -> commands that show their messages
    "workflows/vitrion_workflows/formats/": READING,
    "workflows/vitrion_workflows/trajectories/assembly.py": ("diffusivity",),
    "workflows/vitrion_workflows/potentials/remote/client.py": ("potentials serve",),
    "workflows/vitrion_workflows/potentials/weights/": ("potentials install",),
    "platform/vitrion/exchange/export.py": ("structures export", "labels export", "order"),
    "platform/vitrion/exchange/label_table.py": ("arrhenius",),
    "platform/vitrion/exchange/quantities.py": ("ingest labels",),
    "platform/vitrion/ingest/published.py": ("ingest labels",),
    "platform/vitrion/answers/arrhenius.py": ("arrhenius",),
    "platform/vitrion/answers/judging.py": ("potentials judge",),
    "platform/vitrion/answers/model_artefact.py": ("predict", "generate"),
    "platform/vitrion/cli/console/cells.py": ("label",),
    "platform/vitrion/cli/console/options.py": ("label", "diffusivity", "labels export"),
    "platform/vitrion/cli/console/volumes.py": ("amorphize", "label"),
}


def _commands():
    """Return the options of each command: ``labels list`` -> ``{"--limit", ...}``."""
    options = {}
    for noun in nouns.NOUNS:
        loaded = nouns.load(noun)
        verbs = {f"{noun} {verb}": command for verb, command in getattr(loaded, "commands", {}).items()}
        for name, command in (verbs or {noun: loaded}).items():
            options[name] = {"--help"}.union(*(each.opts + each.secondary_opts for each in command.params))
    return options


def _texts(path):
    """Yield the line and text of each string of a module but for docstrings and words of a command line."""
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        if id(node) not in docstrings and not OPTION.fullmatch(node.value):
            yield node.lineno, node.value


@pytest.fixture(scope="module", name="commands")
def load_commands():
    return _commands()


def _shown_by(place, commands):
    if place.startswith("platform/vitrion/cli/") and "/console/" not in place:
        noun = Path(place).stem
        return [name for name in commands if name.split()[0] == noun]
    return next((names for start, names in SHOWN_BY.items() if place.startswith(start)), ())


def _is_known(option, shown, commands, *, everywhere):
    known = [option in commands[name] for name in shown]
    return bool(known) and (all(known) if everywhere else any(known))


def test_options_named_in_messages_exist(commands):
    faults = []
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        place = str(path.relative_to(ROOT))
        for line, text in _texts(path):
            quoted = COMMAND.findall(text)
            for noun, verb, rest in quoted:
                known = commands.get(f"{noun} {verb}", commands.get(noun, set()))
                faults += [
                    f"{place}:{line}: {noun} {verb} has no {option}" for option in set(OPTION.findall(rest)) - known
                ]
            for option in OPTION.findall(COMMAND.sub("", text)):
                shown = _shown_by(place, commands)
                if not _is_known(option, shown, commands, everywhere="/cli/" not in place):
                    faults.append(f"{place}:{line}: {option} is no option of {' or '.join(shown) or 'a known command'}")
    assert not faults, "\n".join(faults)


def test_commands_named_in_messages_exist(commands):
    first_words = {name.split()[0] for name in commands}
    faults = [
        f"{path.relative_to(ROOT)}:{line}: vitrion {noun} {verb}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for line, text in _texts(path)
        for noun, verb, _ in COMMAND.findall(text)
        if noun not in first_words or (noun not in commands and verb and f"{noun} {verb}" not in commands)
    ]
    assert not faults, "\n".join(faults)


def test_a_reader_that_asks_for_an_option_says_whose_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("run.xyz").write_text("1\nno cell\nLi 0 0 0\n")
    for words in (["label", "run.xyz", "-t", "900"], ["order", "run.xyz"], ["amorphize", "run.xyz"]):
        assert run(words) == 2
        assert "--cell (an option of `vitrion ingest structures`" in capsys.readouterr().err
