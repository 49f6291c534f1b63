"""Container and CI files, read by parsers: no engine is at hand to run them."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "docker"
INSTRUCTIONS = {
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
}
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::?[-?][^}]*)?\}")


def dockerfile(text: str) -> list[tuple[str, str]]:
    """Instructions of a Dockerfile, in order, continuation lines joined.

    Raises:
        ValueError: a line that is no instruction.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = []
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word not in INSTRUCTIONS or not rest.strip():
            raise ValueError(f"no instruction: {line}")
        found.append((word, rest.strip()))
    return found


@pytest.fixture(scope="module")
def steps():
    return dockerfile((DOCKER / "Dockerfile").read_text())


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def test_the_parser_refuses_what_is_no_instruction():
    with pytest.raises(ValueError, match="no instruction"):
        dockerfile("FROM a\nINSTALL b")


def test_image_is_built_in_stages_and_runs_as_nobody_special(steps):
    words = [word for word, _ in steps]
    assert words[0] == "FROM"
    assert words.count("FROM") == 2
    last = steps[len(words) - 1 - words[::-1].index("FROM") :]
    users = [rest for word, rest in last if word == "USER"]
    assert users
    assert users[-1] not in {"root", "0"}
    assert any(word == "COPY" and "--from=build" in rest for word, rest in last)
    assert not any(":latest" in rest for word, rest in steps if word == "FROM")


def test_entry_point_is_the_command_in_exec_form(steps):
    assert dict(steps)["ENTRYPOINT"] == '["vitrion"]'
    assert dict(steps)["CMD"].startswith("[")


def test_what_the_image_copies_exists_and_is_let_in(steps):
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for word, rest in steps:
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert source in let_in


def test_mongo_has_a_health_check_and_a_named_volume(compose):
    mongo = compose["services"]["mongo"]
    assert "ping" in " ".join(mongo["healthcheck"]["test"])
    volume = mongo["volumes"][0].split(":")[0]
    assert volume in compose["volumes"]
    assert "ports" not in mongo  # reachable by the other services only


def test_services_wait_for_what_exists(compose):
    services = compose["services"]
    for name, service in services.items():
        for other, condition in service.get("depends_on", {}).items():
            assert other in services
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[other], name
            if condition["condition"] == "service_completed_successfully":
                assert services[other]["restart"] == "no", name
        for volume in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", volume).split(":")[0]
            assert source in compose["volumes"] or (DOCKER / source).exists()


def test_services_are_the_ones_that_are_meant(compose):
    services = compose["services"]
    assert {"mongo", "worker", "scheduler", "web"} <= set(services)
    assert services["web"]["profiles"] == ["web"]
    build = services["worker"]["build"]
    assert (DOCKER / build["context"] / build["dockerfile"]).is_file()


def test_every_setting_of_the_compose_file_is_in_the_example(compose):
    asked = set(VARIABLE.findall((DOCKER / "compose.yaml").read_text()))
    named = {line.split("=")[0] for line in (DOCKER / "example.env").read_text().splitlines() if "=" in line}
    assert asked == named
    for line in (DOCKER / "example.env").read_text().splitlines():
        assert not re.match(r"(MONGO_PASSWORD|MP_API_KEY)=.", line)  # no secret, no default password
    assert compose["services"]["worker"]["environment"]["VITRION_DATABASE_URI"].startswith("mongodb://")


def test_commands_of_the_services_exist(compose):
    from vitrion.cli.nouns import NOUNS

    for name, service in compose["services"].items():
        if "build" in service and name != "web":
            assert service["command"][0] in NOUNS


def test_public_ci_has_a_real_mongodb():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    check = workflow["jobs"]["check"]
    assert check["services"]["mongo"]["image"].startswith("mongo:")
    assert check["env"]["VITRION_TEST_MONGODB_URI"].startswith("mongodb://")
    commands = [step["run"] for step in check["steps"] if "run" in step]
    assert any(command.startswith("make lint") for command in commands)
    assert any(command.startswith("make test") for command in commands)


def test_hooks_run_the_locked_tools():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    assert {hook["id"] for hook in hooks[0]["hooks"]} == {"ruff-check", "ruff-format", "mypy"}


@pytest.mark.parametrize("target", ["run", "test", "bench", "lint", "lock", "clean"])
def test_make_knows_the_target(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_make_refuses_an_old_python_in_one_line(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "-s", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}", f"{tmp_path / 'venv'}/bin/python"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "older than Python 3.11" in done.stderr.splitlines()[0]


def test_ci_script_is_valid_shell_and_executable():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_the_containers_campaign_goes_through_the_launchpad():
    from vitrion.learning.configuration import load_configuration

    assert load_configuration(DOCKER / "campaign.yaml").runner.kind == "fireworks"
