"""Identity of a remote potential: stated by its description, sent by its client, and the same."""

import json

import numpy as np
import pytest
from model_force_fields import rock_salt
from one_line import error_in_one_line
from remote_clients import ASES_OWN_CLIENT, IDENTITY, by_hand, describe, free_port

from vitrion_models.errors import CheckpointError, InputError, MissingDependencyError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials.adapters.lennard_jones import LENNARD_JONES_SHA256
from vitrion_workflows.potentials.remote import client, write_identity


@pytest.mark.parametrize("unverified", [False, True])
@pytest.mark.parametrize("wrong", [{"name": "lj"}, {"version": "0"}, {"weights_sha256": "0" * 64}], ids=str)
def test_another_potential_at_the_address_is_refused(remote, tmp_path, wrong, unverified):
    address = f"unix:{tmp_path / 'socket'}"
    by_hand(potentials.load("lennard-jones"), address)
    field = remote(identity=IDENTITY | wrong, command=None, address=address, unverified=unverified)
    with pytest.raises(CheckpointError, match=r"its client is lennard-jones \S+ with weights 1b7dd6a450ba"):
        field.evaluate(rock_salt())


@pytest.fixture
def says(monkeypatch, tmp_path):
    """A function that starts a client which says so much of itself, and gives the address it goes to."""
    answer = client._answer

    def start(said):
        extra = np.frombuffer(json.dumps(said).encode(), np.byte)
        monkeypatch.setattr(client, "_answer", lambda protocol, evaluate, _: answer(protocol, evaluate, extra))
        address = f"unix:{tmp_path / 'socket'}"
        by_hand(potentials.load("lennard-jones"), address)
        return address

    return start


@pytest.mark.parametrize("unverified", [False, True])
@pytest.mark.parametrize(
    ("said", "description"),
    [
        ({"weights_sha256": "b" * 64}, "a potential with weights bbbbbbbbbbbb"),
        ({"name": "other", "weights_sha256": "b" * 64}, "other with weights bbbbbbbbbbbb"),
        ({"name": "other"}, "other, described is lennard-jones"),
        ({"name": "lennard-jones", "version": None}, "lennard-jones None, described"),
    ],
    ids=str,
)
def test_half_an_identity_that_is_another_one_is_refused_also_where_none_is_asked_for(
    remote, says, said, description, unverified
):
    field = remote(command=None, address=says(said), unverified=unverified)
    with pytest.raises(CheckpointError, match=f"its client is {description}"):
        field.evaluate(rock_salt())


def test_half_an_identity_that_agrees_is_enough_only_where_none_is_asked_for(remote, says):
    address = says({"name": "lennard-jones", "more": 1})
    with pytest.raises(CheckpointError, match="identity"):
        remote(command=None, address=address).evaluate(rock_salt())
    field = remote(command=None, address=says({"name": "lennard-jones", "more": 1}), unverified=True)
    assert np.isfinite(field.evaluate(rock_salt()).energy_eV)


def test_a_client_without_identity_is_accepted_only_if_unverified_is_stated(remote):
    argon = AtomicSystem([18, 18], [[0, 0, 0], [2.6, 0, 0]], np.eye(3) * 8)
    command = ["{python}", "-c", ASES_OWN_CLIENT, "{address}", "{structure}"]
    with error_in_one_line(CheckpointError, r"identity.*unverified: true"):
        remote(command=command, address=f"127.0.0.1:{free_port()}").evaluate(argon)
    field = remote(command=command, address=f"127.0.0.1:{free_port()}", unverified=True)
    assert np.abs(field.evaluate(argon).forces_eV_per_A).max() > 0
    assert field.name == "remote-unverified:lennard-jones"


def test_identity_enters_from_a_file_that_the_server_writes(tmp_path):
    path = tmp_path / "identity.json"
    write_identity(potentials.load("lennard-jones"), path)
    field = potentials.load(f"remote:{describe(tmp_path, identity=None, identity_file='identity.json')}")
    assert field.weights_sha256 == LENNARD_JONES_SHA256
    assert field.name == "remote:lennard-jones"
    assert field.elements == potentials.load("lennard-jones").elements


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity": None}, "state the identity"),
        ({"identity_file": "x.json"}, "not both"),
        ({"command": None}, "state an address, or a command"),
        ({"command": ["run"]}, "{address}"),
        ({"address": "nowhere"}, "give host:port"),
        ({"address": "host:99999"}, "give host:port"),
        ({"identity": IDENTITY | {"weights_sha256": "abc"}}, "weights_sha256"),
        ({"identity": IDENTITY | {"elements": ["Li", "Xx"]}}, "Xx"),
        ({"identity": {"name": "lj"}}, "identity.version"),
        ({"restart": 3}, "restart: Extra inputs"),
    ],
)
def test_a_description_that_leaves_something_open_is_refused(tmp_path, changes, words):
    path = describe(tmp_path, **changes)
    with error_in_one_line(InputError, words):
        potentials.load(f"remote:{path}")
    assert not potentials.installed(f"remote:{path}").ok


def test_missing_files_are_reported_in_one_line(tmp_path):
    for name in (f"remote:{tmp_path / 'none.yaml'}", f"remote:{describe(tmp_path, identity=None, identity_file='no')}"):
        with error_in_one_line(MissingDependencyError, "no such file"):
            potentials.load(name)
    with pytest.raises(InputError, match="names no description"):
        potentials.load("remote:")
    (tmp_path / "torn.yaml").write_text("identity: [")
    with pytest.raises(InputError, match=r"torn\.yaml"):
        potentials.load(f"remote:{tmp_path / 'torn.yaml'}")
