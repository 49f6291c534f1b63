"""Passwords of the database's address never reach the screen."""

import contextlib
import io
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import vitrion
from vitrion.cli import app, doctor
from vitrion.database import DatabaseError, database
from vitrion.database.address import redact, shown

PLACES = (
    "joe:{}@127.0.0.1:1/db",  # no scheme
    "mongodb://joe:{}@127.0.0.1:1/db",
    "mongodb://joe:{}/db",  # no host
    "mongodb://joe:{}@127.0.0.1:port/db",
    "mongodb://joe:{}@127.0.0.1:1/a b",
    "http://joe:{}@127.0.0.1:1/db",
    "mongodb://127.0.0.1:1/db?tlsCertificateKeyFilePassword={}&bogus=1",
    "mongodb://127.0.0.1:1/db?maxPoolSize=x&tlsCertificateKeyFilePassword={}",
    "mongodb://127.0.0.1:1/db?tlsCertificateKeyFilePasword={}",  # misspelt
    "mongodb://127.0.0.1:1/db?proxyPassword={}",
    "mongodb://127.0.0.1:1/db?maxPoolSize={}",
    "mongodb://127.0.0.1:1/db?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:{}",
    "mongodb://127.0.0.1:1/db?authMechanismProperties={}",
    "mongodb://127.0.0.1:1/db?authMechanism={}",
    "mongodb://joe@127.0.0.1:1/db?authSource={}&authMechanism=PLAIN",
)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x250), min_size=6, max_size=20).filter(
    lambda text: not re.fullmatch(r"[\w.-]{0,8}|\W*", text)
)
COMMANDS = (("init",), ("doctor",), ("doctor", "--json"), ("structures", "list"))


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", (doctor._database,))
    monkeypatch.setattr(database, "SERVER_SELECTION_MS", 1)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=st.sampled_from(PLACES), secret=SECRETS)
@example(place=PLACES[0], secret="hunter2secret")
@example(place=PLACES[1], secret="hunter2/secret?with@all&of=it")
@example(place=PLACES[6], secret="hunter2secret")
@example(place=PLACES[8], secret="hunter2@secret")
def test_no_command_prints_a_secret(place, secret):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRION_DATABASE_URI", place.format(secret))
        for words in COMMANDS:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                assert app.run(list(words)) == 2, words
            assert secret not in printed.getvalue(), words


@pytest.mark.parametrize("place", PLACES)
def test_no_error_carries_a_secret_in_its_traceback(place):
    with pytest.raises(DatabaseError) as refused:
        vitrion.connect(place.format("hunter2secret"))
    error = refused.value
    while error is not None:
        assert "hunter2secret" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_what_is_no_secret_is_shown():
    assert shown("mongodb://10.0.0.1:27017,host-2/db") == "mongodb://10.0.0.1:27017,host-2/db"
    assert shown("postgres://127.0.0.1/x") == "postgres://127.0.0.1/x"
    assert shown("mongodb://joe:secret@host/db") == "mongodb://..."
    address = "mongodb://joe:secret@host/db?tlsCAFile=/keys/ca.pem"
    assert redact("no such file: /keys/ca.pem", address) == "no such file: /keys/ca.pem"
    assert redact("host refuses secret", address) == "host refuses ..."


def test_a_key_file_that_is_absent_is_named(monkeypatch, capsys):
    monkeypatch.setenv("VITRION_DATABASE_URI", "mongodb://127.0.0.1:1/db?tlsCertificateKeyFile=/absent/key.pem")
    assert app.run(["init"]) == 2
    printed = capsys.readouterr().err
    assert "/absent/key.pem" in printed
    assert printed.count("\n") == 1
