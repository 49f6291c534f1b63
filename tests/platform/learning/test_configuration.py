import math
from pathlib import Path

import pytest
import yaml
from tiny_campaign import TINY

from vitrion.learning.configuration import CampaignConfiguration, load_configuration
from vitrion.learning.configuration.campaign import FEWEST_FRAMES
from vitrion.learning.plan import effective
from vitrion.learning.seeds import derive_seed
from vitrion_models.errors import InputError
from vitrion_models.surrogates import ArrheniusGNNConfig, ArrheniusKernelConfig
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES as FRAMES_ANALYSED
from vitrion_workflows.validation.equilibration import LARGEST_DISCARD

MINIMAL = {
    "name": "trial",
    "seed": 1,
    "compounds": {"names": ["LiCl", "LiF", "Li2O"]},
    "labels": {"temperatures_K": [1500, 1000], "target_temperature_K": 1000},
    "test_compositions": 1,
}
SMALLER = {
    "compounds": ["LiCl", "LiF"],
    "atoms": 24,
    "melt_ps": 0.4,
    "quench_ps": 0.4,
    "hold_ps": 0.1,
    "production_ps": 0.8,
    "cycles": 2,
    "initial": 2,
    "batch": 2,
}


def write(path, **changes):
    content = {**MINIMAL, **changes}
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_smallest_campaign_is_valid_and_sorted(tmp_path):
    configuration = load_configuration(write(tmp_path / "a.yaml"))
    assert configuration.labels.temperatures_K == (1000.0, 1500.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cylces": 3}, "unknown key `cylces`: did you mean `cycles`?"),
        ({"acquisition": {"fuction": "thompson"}}, "unknown key `acquisition.fuction`: did you mean `function`?"),
        ({"runner": {"kind": "local", "worker": 2}}, "unknown key `runner.worker`: did you mean `workers`?"),
        ({"surrogate": {"layer": 3}}, "unknown key `surrogate.layer`: did you mean `layers`?"),
        ({"surrogate": {"architecture": "arrhenius_kernel", "layers": 3}}, "unknown key `surrogate.layers`"),
        ({"surrogate": {"architecture": "oracle"}}, "arrhenius_kernel"),
        ({"generator": {"training_steps": 0}}, "`generator.training_steps`"),
        ({"labels": {"temperatures_K": [-5], "target_temperature_K": 1000}}, "impossible"),
        ({"labels": {"temperatures_K": [50000], "target_temperature_K": 1000}}, "impossible"),
        ({"labels": {**MINIMAL["labels"], "force_check": {"reference": "dipe"}}}, "'diep'"),
        ({"labels": {**MINIMAL["labels"], "force_check": {"frames": 4}}}, "`labels.force_check.frames`"),
        ({"labels": {**MINIMAL["labels"], "force_check": {"frame": 5}}}, "did you mean `frames`?"),
        ({"seed": -1}, "`seed`"),
        ({"acquisition": {"batch": 2, "random": 2}}, "random"),
        ({"acquisition": {"random": 0}}, "acquisition.random"),
        ({"test_compositions": 3}, "leave compounds to train on"),
        ({"compounds": {}}, "`compounds.names` is missing"),
        (
            {"labels": {**MINIMAL["labels"], "protocol": {"production_ps": 0.3}}},
            "labels.protocol.production_ps 0.3 gives 15 frames",
        ),
        ({"reference": {"production_ps": 0.7}}, "reference.production_ps 0.7 gives 35 frames"),
        ({"fidelities": [{"production_ps": 0.7}]}, "fidelities.0.production_ps 0.7 gives 35 frames"),
        ({"fidelities": [{}, {}]}, "named twice"),
        ({"fidelities": [{"given": "aimd"}, {}]}, "last"),
        ({"fidelities": [{"given": "aimd"}, {"given": "obelix"}]}, "last"),
        ({"fidelities": [{"given": "aimd", "stderr_decades": 0}]}, "`fidelities.0.stderr_decades`"),
        ({"fidelities": [{"given": "aimd", "stder": 0.1}]}, "unknown key `fidelities.0.stder`"),
        ({"fidelities": [{"given": "aimd", "share": 0.1}]}, "unknown key `fidelities.0.share`"),
        ({"potential": "chgnet", "fidelities": [{}]}, "chgnet is the production potential"),
        ({"fidelities": [{}], "reference": {}}, "fidelities"),
        ({"fidelities": [{}], "surrogate": {"architecture": "arrhenius_kernel"}}, "multi_fidelity"),
        ({"fidelities": [{}], "acquisition": {"function": "thompson"}}, "expected_improvement"),
        ({"smaller": {**SMALLER, "production_ps": 0.1}}, "smaller.production_ps 0.1 gives 5 frames"),
    ],
)
def test_each_fault_is_one_line_that_names_file_and_key(tmp_path, changes, words):
    path = write(tmp_path / "bad.yaml", **changes)
    with pytest.raises(InputError) as caught:
        load_configuration(path)
    message = str(caught.value)
    assert words in message
    assert str(path) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"referee": {"potential": "chgnet"}}, "`referee`.*`reference`"),
        ({"surrogate": {"test_compositions": 2}}, "`surrogate.test_compositions`.*`test_compositions`"),
        ({"generator": {"samples": 2}}, "`generator.samples`.*`generated_cells`"),
    ],
)
def test_a_renamed_key_is_refused_with_its_new_name(tmp_path, changes, names):
    with pytest.raises(InputError, match=names):
        load_configuration(write(tmp_path / "old.yaml", **changes))


def test_any_architecture_can_be_named_and_the_default_need_not_be(tmp_path):
    assert load_configuration(write(tmp_path / "a.yaml")).surrogate == ArrheniusGNNConfig()
    default = load_configuration(write(tmp_path / "b.yaml", surrogate={"members": 3}))
    assert default.surrogate == ArrheniusGNNConfig(members=3)
    generator = load_configuration(write(tmp_path / "d.yaml", generator={"churn": 0.5})).generator
    assert (generator.architecture, generator.churn, generator.validation_fraction) == ("amorphous_diffusion", 0.5, 0.0)
    kernel = load_configuration(write(tmp_path / "c.yaml", surrogate={"architecture": "arrhenius_kernel"}))
    assert kernel.surrogate == ArrheniusKernelConfig()


@pytest.mark.parametrize("text", ["- a\n- b\n", "name: [\n", "\x00\x01", ""])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"bad\.yaml"):
        load_configuration(path)


def test_a_key_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text("name: tiny\nlabels:\n  temperatures_K: [1000]\n  temperatures_K: [2000]\n")
    with pytest.raises(InputError, match=r"`temperatures_K`.*twice"):
        load_configuration(path)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml"):
        load_configuration(tmp_path / "absent.yaml")


def test_a_label_of_the_fewest_frames_is_analysed_whatever_equilibration_takes():
    assert math.floor((1 - LARGEST_DISCARD) * FEWEST_FRAMES) >= FRAMES_ANALYSED


def test_the_hash_follows_what_decides_labels_only():
    configuration = CampaignConfiguration.model_validate(MINIMAL)
    other_machine = CampaignConfiguration.model_validate({**MINIMAL, "runner": {"kind": "local", "workers": 7}})
    other_seed = CampaignConfiguration.model_validate({**MINIMAL, "seed": 2})
    assert configuration.content_hash() == other_machine.content_hash() != other_seed.content_hash()


def test_seeds_depend_on_names_only():
    assert derive_seed(1, "label", 1500.0) == derive_seed(1, "label", 1500.0)
    seeds = {derive_seed(root, "label", index) for root in range(20) for index in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("name", ["quickstart", "overnight"])
def test_the_examples_are_valid(name):
    configuration = load_configuration(Path(__file__).parents[3] / "examples" / f"{name}.yaml")
    assert configuration.name == name
    assert configuration.reference is not None
    assert len(configuration.compounds.names) >= 8


def test_with_a_slow_potential_a_smaller_campaign_runs_under_the_same_identity():
    configuration = load_configuration(Path(__file__).parents[3] / "examples" / "quickstart.yaml")
    small = configuration.shrunk()
    assert small.cells.atoms < configuration.cells.atoms
    assert small.labels.protocol.production_ps < configuration.labels.protocol.production_ps
    assert set(small.compounds.names) < set(configuration.compounds.names)
    assert small.reference is None
    assert small.acquisition.random == 1
    assert CampaignConfiguration.model_validate(small.model_dump()) == small
    assert effective(configuration, "chgnet instead of nep89") == small
    assert effective(configuration, "") == configuration


def test_temperatures_may_be_a_range(tmp_path):
    labels = {"temperatures_K": "600:1000:200", "target_temperature_K": 1000}
    configuration = load_configuration(write(tmp_path / "c.yaml", labels=labels))
    assert configuration.labels.temperatures_K == (600.0, 800.0, 1000.0)
    with pytest.raises(InputError, match="1000 temperatures"):
        load_configuration(write(tmp_path / "c.yaml", labels=labels | {"temperatures_K": "600:1000:1e-9"}))


@pytest.mark.parametrize("rule", ["rule", "zero-pressure", "reference", "twin", "measured", 17.5])
def test_volume_of_the_cells_is_a_rule_or_a_number(rule):
    content = TINY | {"cells": TINY["cells"] | {"volume": rule}}
    assert CampaignConfiguration.model_validate(content).cells.volume == rule


@pytest.mark.parametrize("rule", ["equilibrium", -1.0, 0.5, 1e6, None, True])
def test_another_volume_is_refused(rule, tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text(yaml.safe_dump(TINY | {"cells": TINY["cells"] | {"volume": rule}}))
    with pytest.raises(InputError, match=r"cells\.volume"):
        load_configuration(path)


def test_the_former_switch_of_the_volume_search_names_the_present_key(tmp_path):
    path = tmp_path / "campaign.yaml"
    protocol = TINY["cells"]["protocol"] | {"volume_search": True}
    path.write_text(yaml.safe_dump(TINY | {"cells": TINY["cells"] | {"protocol": protocol}}))
    with pytest.raises(InputError, match=r"it is now called `cells\.volume`"):
        load_configuration(path)


def test_the_force_check_is_on_unless_it_is_switched_off(tmp_path):
    configuration = load_configuration(write(tmp_path / "a.yaml"))
    assert configuration.labels.force_check.reference == "auto"
    assert configuration.labels.force_check.frames == 5
    off = load_configuration(write(tmp_path / "b.yaml", labels={**MINIMAL["labels"], "force_check": None}))
    assert off.labels.force_check is None
