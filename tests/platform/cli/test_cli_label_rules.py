"""Commands that show or fit labels say whose rules judged them, and nothing where all are of those of here."""

import csv
import json

import numpy as np
import pytest
from plain_labels import plain_label

import vitrion
from vitrion.cli.app import run
from vitrion.database.queries.comparison import label_pairs
from vitrion.database.repositories.labels import ImportedLabel
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.schemas.label import LABEL_RULES

OLDER = LABEL_RULES - 1
BOLTZMANN = 8.617333262145179e-5
TEMPERATURES = (700.0, 900.0, 1100.0, 1500.0, 2000.0)
AGAIN = f"than this Vitrion's ({LABEL_RULES}): label them again"


def log10_D(temperature):
    return -3.0 - 0.3 / (BOLTZMANN * temperature * np.log(10))


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """One line of five labels by two potentials, the second half a decade below the first."""
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    found = {}
    with vitrion.connect() as db:
        positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
        cell = db.structures.add(AtomicSystem(np.repeat([3, 17], 6), positions, np.eye(3) * 7), kind="amorphous")
        for potential, shift in (("nep89", 0.0), ("chgnet", -0.5)):
            for kelvin in TEMPERATURES:
                value = 10 ** (log10_D(kelvin) + shift)
                made = plain_label(
                    cell.fingerprint, potential=potential, temperature_K=kelvin, value=value, log10_stderr=0.03
                )
                found[potential, kelvin] = db.labels.add(made).key
    return found


def judge(version, *keys):
    change = {"$unset": {"rules": ""}} if version is None else {"$set": {"rules": version}}
    with vitrion.connect() as db:
        for key in keys:
            assert db.collection("labels").update_one({"key": key}, change)


def spoil(keys, version=OLDER):
    """The two hottest labels of nep89 are a factor of a hundred too low, and of other rules."""
    hot = [keys["nep89", kelvin] for kelvin in TEMPERATURES[-2:]]
    judge(version, *hot)
    with vitrion.connect() as db:
        for key in hot:
            value = db.labels.get(key).value / 100
            change = {"$set": {"value": value, "log10_value": float(np.log10(value))}}
            assert db.collection("labels").update_one({"key": key}, change)


def answer(capsys, *words):
    assert run([str(word) for word in words]) == 0
    told = capsys.readouterr()
    return told.out, told.err.splitlines()


def fault(capsys, *words):
    assert run([str(word) for word in words]) == 2
    told = capsys.readouterr()
    assert not told.out
    (line,) = told.err.splitlines()
    return line


FIT = ("arrhenius", "--species", "Li", "--potential", "nep89")


def test_where_all_labels_are_of_the_rules_of_here_nothing_is_said(keys, tmp_path, capsys):
    for words in (
        ("labels", "list"),
        ("labels", "list", "--json"),
        ("labels", "show", keys["nep89", 900.0]),
        ("labels", "compare", "nep89", "chgnet"),
        (*FIT, "--at", 1000),
        (*FIT, "--json", "--at", 1000),
    ):
        assert answer(capsys, *words)[1] == []
    _, (line,) = answer(capsys, "labels", "export", "--potential", "nep89", "--to", tmp_path / "labels.csv")
    assert line.endswith("labels.csv")
    assert answer(capsys, "arrhenius", tmp_path / "labels.csv", "--at", 1000)[1] == []
    found = json.loads(answer(capsys, *FIT, "--json")[0])
    assert (found["rules"], found["left_out_of_other_rules"]) == (str(LABEL_RULES), {})


def test_a_list_has_the_column_and_counts_those_of_other_rules(keys, capsys):
    spoil(keys)
    table, (line,) = answer(capsys, "labels", "list", "--potential", "nep89")
    assert "rules" in table.splitlines()[0].split()
    assert line == f"among them: 2 labels judged by other rules ({OLDER}: 2) {AGAIN}"
    rows, (_, line) = answer(capsys, "labels", "list", "--json", "--limit", 1)
    assert (len(json.loads(rows)), json.loads(rows)[0]["rules"]) == (1, LABEL_RULES)
    assert "2 labels judged by other rules" in line  # of all that pass, not of the page alone
    for asked, number in (("other", 2), ("here", 8), (OLDER, 2), (f"{OLDER}:", 10), (f":{OLDER}", 2), ("unknown", 0)):
        rows, lines = answer(capsys, "labels", "list", "--json", "--rules", asked)
        assert (len(json.loads(rows)), lines) == (number, [])
    assert "'old' is no range" in fault(capsys, "labels", "list", "--rules", "old")


@pytest.mark.parametrize(("version", "named"), [(OLDER, str(OLDER)), (None, "unknown")])
def test_one_label_is_shown_with_what_is_wrong_with_its_rules(keys, capsys, version, named):
    judge(version, keys["nep89", 900.0])
    _, (line,) = answer(capsys, "labels", "show", keys["nep89", 900.0])
    assert line == f"1 label judged by other rules ({named}: 1) {AGAIN}"


def test_an_export_never_mixes_rules_unsaid(keys, tmp_path, capsys):
    spoil(keys)
    target = tmp_path / "labels.csv"
    words = ("labels", "export", "--potential", "nep89", "--to", target)
    assert f"more than one rules ({OLDER}: 2, {LABEL_RULES}: 3)" in fault(capsys, *words)
    assert not target.exists()
    for more, rules in (
        (("--rules", "here"), [LABEL_RULES] * 3),
        (("--across", "rules"), [LABEL_RULES] * 3 + [OLDER] * 2),
    ):
        _, lines = answer(capsys, *words, *more)
        assert len(lines) == 1
        with target.open() as file:
            assert [int(row["rules"]) for row in csv.DictReader(file)] == rules
    judge(OLDER, *keys.values())
    _, lines = answer(capsys, *words)
    assert lines[0] == f"among them: 5 labels judged by other rules ({OLDER}: 5) {AGAIN}"
    written, lines = answer(capsys, *words, "--json")
    assert json.loads(written)["of_other_rules"] == {str(OLDER): 5}
    assert len(lines) == 1


@pytest.mark.parametrize("version", [OLDER, None])
def test_a_line_goes_through_labels_of_the_rules_of_here(keys, capsys, version):
    spoil(keys, version)
    named = "unknown" if version is None else str(version)
    out, (line,) = answer(capsys, *FIT, "--json", "--at", 1000)
    found = json.loads(out)
    assert found["Ea_eV"] == pytest.approx(0.3, abs=0.05)
    assert (found["measured"], found["rules"]) == (3, str(LABEL_RULES))
    assert found["left_out_of_other_rules"] == {named: 2}
    assert line == f"left out: 2 labels judged by other rules ({named}: 2) {AGAIN}, or fit them by --rules {named}"
    shown, lines = answer(capsys, *FIT, "--at", 1000)
    assert line in lines
    assert "left_out" not in shown
    out, lines = answer(capsys, *FIT, "--json", "--at", 1600, "--rules", named)
    found = json.loads(out)
    assert (found["measured"], found["rules"], lines) == (2, named, [])
    out, lines = answer(capsys, *FIT, "--json", "--at", 1600, "--across", "rules")
    found = json.loads(out)
    assert found["measured"] == 5
    assert found["rules"] == f"{LABEL_RULES}+unknown" if version is None else f"{OLDER}+{LABEL_RULES}"


def test_the_rules_choose_neither_the_potential_nor_the_kind_of_cell(keys, capsys):
    """Only chgnet's labels are of the rules of here: which potential the line is of would hang on that, unsaid."""
    judge(OLDER, *(keys["nep89", kelvin] for kelvin in TEMPERATURES))
    asked = ("arrhenius", "--species", "Li", "--at", 800)
    assert "more than one potential (chgnet: 5, nep89: 5)" in fault(capsys, *asked)
    for more, named in (
        (("--potential", "chgnet"), "chgnet"),
        (("--rules", "here"), "chgnet"),
        (("--across", "potential", "--across", "rules"), "chgnet+nep89"),
    ):
        assert json.loads(answer(capsys, *asked, *more, "--json")[0])["potential"] == named
        assert f" potential {named} " in " ".join(answer(capsys, *asked, *more)[0].split())
    with vitrion.connect() as db:
        cell = db.structures.add(AtomicSystem([3, 17], [[0, 0, 0], [2, 2, 2]], np.eye(3) * 4), kind="crystal")
        label = plain_label(cell.fingerprint, potential="chgnet", temperature_K=900.0, log10_stderr=0.03)
        crystal = db.labels.add(label).key
    judge(OLDER, crystal)
    assert "more than one kind (amorphous: 5, crystal: 1)" in fault(capsys, *asked, "--potential", "chgnet")


def test_a_picture_of_labels_of_other_rules_says_so(keys, tmp_path, capsys):
    spoil(keys)
    picture = tmp_path / "line.svg"
    for words, title in (((), "LiCl"), (("--rules", OLDER), f"LiCl, labels judged by rules {OLDER}")):
        answer(capsys, *FIT, "--json", "--at", 1600, "--plot", picture, *words)
        assert f"<!-- {title} -->" in picture.read_text()


def test_mixed_rules_are_refused_and_old_ones_alone_are_told(keys, capsys):
    spoil(keys)
    assert f"more than one rules ({OLDER}: 2, {LABEL_RULES}: 3)" in fault(capsys, *FIT, "--rules", f"{OLDER}:")
    judge(OLDER, *keys.values())
    told = fault(capsys, *FIT)
    assert told.removeprefix("vitrion: ") == (
        f"nothing to fit but 5 labels judged by other rules ({OLDER}: 5) {AGAIN}, or fit them by --rules {OLDER}"
    )


def test_a_line_that_lacks_labels_says_which_were_left_out(keys, capsys):
    judge(OLDER, *(keys["nep89", kelvin] for kelvin in TEMPERATURES[1:]))
    told = fault(capsys, *FIT)
    assert "needs measured labels at two temperatures" in told
    assert f"; left out: 4 labels judged by other rules ({OLDER}: 4)" in told


def test_rows_of_a_file_are_of_one_version_and_an_older_one_is_told(keys, tmp_path, capsys):
    spoil(keys)
    target = tmp_path / "labels.csv"
    export = ("labels", "export", "--potential", "nep89", "--to", target)
    answer(capsys, *export, "--across", "rules")
    assert f"more than one rules ({OLDER}: 2, {LABEL_RULES}: 3)" in fault(capsys, "arrhenius", target)
    out, lines = answer(capsys, "arrhenius", target, "--across", "rules", "--json", "--at", 1000)
    assert (json.loads(out)["rules"], lines) == (f"{OLDER}+{LABEL_RULES}", [])
    target.write_text(target.read_text().replace(f",{OLDER},", ",old,"))
    assert "rules is 'old', which is no version" in fault(capsys, "arrhenius", target)
    for version, named in ((None, "unknown"), (OLDER, str(OLDER))):
        judge(version, *keys.values())
        answer(capsys, *export)
        out, (line,) = answer(capsys, "arrhenius", target, "--json", "--at", 1000)
        assert line == f"among them: 5 labels judged by other rules ({named}: 5) {AGAIN}"
        assert (json.loads(out)["rules"], json.loads(out)["left_out_of_other_rules"]) == (named, {})


@pytest.mark.usefixtures("keys")
def test_a_frame_that_holds_published_values_too_has_whole_rules(tmp_path, capsys):
    """Pandas writes 5.0 where some rows have no rules."""
    target = tmp_path / "frame.csv"
    with vitrion.connect() as db:
        db.labels.add_imported(
            ImportedLabel(
                property="tracer_diffusivity",
                species="Li",
                temperature_K=1000.0,
                state=LabelState.PUBLISHED,
                value=1e-5,
                unit="cm2/s",
                convention="einstein_3d",
                potential="pbe",
                weights_sha256="c" * 64,
                dataset="aimd",
                record=0,
                composition="LiCl",
                log10_stderr=0.05,
            )
        )
        frame = db.labels.search().to_dataframe(across=("source", "potential", "thermostat", "protocol"))
    mine = frame[frame.potential == "chgnet"]
    mine.to_csv(target, index=False)
    assert f",{LABEL_RULES}.0," in target.read_text()
    out, lines = answer(capsys, "arrhenius", target, "--json", "--at", 1000)
    assert (json.loads(out)["rules"], lines) == (str(LABEL_RULES), [])
    for wrong in (f"{LABEL_RULES}.5", "inf", "-1.0"):
        mine.assign(rules=wrong).to_csv(target, index=False)
        assert f"rules is '{wrong}', which is no version" in fault(capsys, "arrhenius", target)


def test_two_potentials_are_compared_by_labels_of_the_rules_of_here(keys, capsys):
    spoil(keys)
    out, (line,) = answer(capsys, "labels", "compare", "nep89", "chgnet", "--json")
    (whole,) = [row for row in json.loads(out) if row["chemistry"] == "all"]
    assert (whole["pairs"], whole["offset_decades"]) == (3, pytest.approx(-0.5, abs=0.05))
    assert whole["left_out_of_other_rules"] == {str(OLDER): 2}
    # Their partners are of the rules of here: by none of the two versions are there more pairs.
    seen = "see them by vitrion labels list --rules other"
    assert line == f"left out: 2 labels judged by other rules ({OLDER}: 2) {AGAIN}, or {seen}"
    judge(OLDER, *keys.values())
    told = fault(capsys, "labels", "compare", "nep89", "chgnet")
    assert "have 0 accepted labels" in told
    assert (
        f"left out: 10 labels judged by other rules ({OLDER}: 10) {AGAIN}, or compare them by --rules {OLDER}" in told
    )
    out, lines = answer(capsys, "labels", "compare", "nep89", "chgnet", "--json", "--rules", OLDER)
    assert lines == []
    assert {row["pairs"] for row in json.loads(out)} == {5}


def test_two_potentials_whose_rules_differ_are_not_compared(keys, capsys):
    """Each of them is of one version, and the offset between them would be that of the rules too."""
    ours = [keys["nep89", kelvin] for kelvin in TEMPERATURES]
    theirs = [keys["chgnet", kelvin] for kelvin in TEMPERATURES]
    judge(OLDER, *ours)
    told = fault(capsys, "labels", "compare", "nep89", "chgnet", "--rules", f"{OLDER}:")
    assert f"more than one rules ({OLDER}: 5, {LABEL_RULES}: 5): choose one version" in told
    assert "across" not in told  # a comparison knows no such thing
    told = fault(capsys, "labels", "compare", "nep89", "chgnet")
    assert f"left out: 5 labels judged by other rules ({OLDER}: 5)" in told
    assert "compare them" not in told
    judge(None, *theirs)
    told = fault(capsys, "labels", "compare", "nep89", "chgnet", "--rules", "other")
    assert f"more than one rules ({OLDER}: 5, unknown: 5)" in told


def test_old_labels_that_have_no_partner_are_no_matter_for_a_comparison(keys, capsys):
    with vitrion.connect() as db:
        for seed in (7, 8, 9):
            positions = np.random.default_rng(seed).uniform(0, 7, (12, 3))
            cell = db.structures.add(AtomicSystem(np.repeat([3, 17], 6), positions, np.eye(3) * 7), kind="amorphous")
            label = plain_label(cell.fingerprint, potential="nep89", temperature_K=900.0, log10_stderr=0.03)
            keys[seed] = db.labels.add(label).key
    judge(OLDER, *(keys[seed] for seed in (7, 8, 9)))
    out, lines = answer(capsys, "labels", "compare", "nep89", "chgnet", "--json")
    assert (json.loads(out)[-1]["pairs"], json.loads(out)[-1]["left_out_of_other_rules"], lines) == (5, {}, [])
    with vitrion.connect(readonly=True) as db:
        assert len(label_pairs(db, "nep89", "chgnet")) == 5
