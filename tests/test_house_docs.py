"""Documents for people: their examples run, their links lead somewhere."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/README.md", "docs/architecture.md")
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*?) -->\n)?```(?P<language>bash|python)\n(?P<code>.*?)```", re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#]+)\)")
LANGUAGES = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-W", "error::UserWarning", "-c"]}


@dataclass(frozen=True)
class Example:
    where: str
    mark: str
    language: str
    code: str


def examples():
    return [
        Example(
            f"{name}:{text[: found.start()].count(chr(10)) + 1}", found["mark"] or "", found["language"], found["code"]
        )
        for name in DOCUMENTS
        for text in [(ROOT / name).read_text()]
        for found in BLOCK.finditer(text)
    ]


def test_every_example_says_whether_it_runs():
    assert not [example.where for example in examples() if not re.match(r"run$|not run: .+", example.mark)]


@pytest.mark.parametrize(
    "example", [entry for entry in examples() if entry.mark == "run"], ids=lambda entry: entry.where
)
def test_examples_run(example, tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "VITRION_HOME": str(tmp_path / "home")}
    environment.pop("VITRION_DATABASE_URI", None)
    done = subprocess.run(
        [*LANGUAGES[example.language], example.code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    document = ROOT / name
    targets = [target for target in LINK.findall(document.read_text()) if "://" not in target]
    assert not [target for target in targets if not (document.parent / target).exists()]


def test_commands_named_in_the_readme_exist():
    from vitrion.cli.nouns import NOUNS

    named = set(re.findall(r"\bvitrion ([a-z]+)", "\n".join(example.code for example in examples())))
    assert named - {"import"} <= set(NOUNS)


def test_settings_in_the_readme_are_settings_of_the_code():
    named = set(re.findall(r"`(VITRION_[A-Z_]+)`", (ROOT / "README.md").read_text()))
    code = "\n".join(path.read_text() for path in (ROOT / "platform").rglob("*.py"))
    code += "\n".join(path.read_text() for path in (ROOT / "workflows").rglob("*.py"))
    assert named
    assert not [name for name in named if name not in code]


def test_the_index_names_every_design_note():
    notes = {f"design/{path.name}" for path in (ROOT / "docs" / "design").glob("*.md")}
    assert notes <= set(LINK.findall((ROOT / "docs" / "README.md").read_text()))
