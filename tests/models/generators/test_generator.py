"""Training, sampling and storing on cells with a known answer."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from one_line import error_in_one_line

from vitrion_models import generators
from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.generators import AmorphousDiffusionConfig, GenerationRequest
from vitrion_models.generators.amorphous_diffusion.denoiser import Denoiser
from vitrion_models.generators.amorphous_diffusion.graph import noisy_batch
from vitrion_models.generators.amorphous_diffusion.trainer import fit
from vitrion_models.generators.grouping import composition_group, held_out_groups
from vitrion_models.system import AtomicSystem
from vitrion_models.training import checkpoint

CHECKPOINTS = Path(__file__).parent / "checkpoints"
CRISTOBALITE_A = 7.13  # beta-cristobalite, Fd-3m, Wyckoff 1925; eight silicon atoms, each with four oxygens at 1.54 A


def cristobalite(seed=0, thermal_A=0.05):
    silicon = np.array(
        [[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0], [1, 1, 1], [1, 3, 3], [3, 1, 3], [3, 3, 1]],
    )
    arms = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    oxygen = (silicon[:4, None] + arms / 2).reshape(-1, 3)
    sites = np.concatenate([silicon, oxygen]) / 4 * CRISTOBALITE_A
    sites += thermal_A * np.random.default_rng(seed).standard_normal(sites.shape)
    return AtomicSystem(np.array([14] * 8 + [8] * 16), sites, CRISTOBALITE_A * np.eye(3))


def rock_salt(first, second, edge_A, seed=0):
    sites = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    noise = 0.1 * np.random.default_rng(seed).standard_normal((8, 3))
    return AtomicSystem(np.array([first] * 4 + [second] * 4), sites * edge_A / 2 + noise, edge_A * np.eye(3))


def draw(model, composition, cell_A, *, count, seed):
    return model.sample(GenerationRequest(count=count, seed=seed, composition=composition, cell_A=cell_A))


CUBE = 5.0 * np.eye(3)
HYDROGEN = AtomicSystem.molecule(np.array([1, 1]), np.array([[0.0, 0, 0], [0.74, 0, 0]]))
TINY = AmorphousDiffusionConfig(channels=8, blocks=1, training_steps=12, atoms_per_step=24, sampling_steps=6)
SMALL = AmorphousDiffusionConfig(channels=24, training_steps=200, atoms_per_step=120, sampling_steps=100)


@pytest.fixture(scope="module")
def overfitted():
    return generators.train([cristobalite()], config=SMALL, seed=1)


@pytest.fixture(scope="module")
def tiny():
    return generators.train([rock_salt(3, 17, 5.14)], config=TINY, seed=1)


def test_training_reaches_the_optimal_denoiser_of_an_einstein_crystal():
    """Sites with Gaussian width w: no denoiser has a lower error than 1 - (1 - 1/N) s^2 / (s^2 + w^2).

    The centre of mass is undetermined, hence 1/N. Each mean has 1440 squared deviates: 4 % deviation; seeded.
    """
    width = 0.15
    rng = np.random.default_rng(0)
    still = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]) * 2.5
    numbers, lattice = np.array([3] * 4 + [17] * 4), 5.0 * np.eye(3)
    cells = [AtomicSystem(numbers, still + width * rng.standard_normal((8, 3)), lattice) for _ in range(200)]
    config = AmorphousDiffusionConfig(channels=16, training_steps=220, atoms_per_step=64, cutoff_A=4.0)
    torch.manual_seed(0)
    denoiser = fit(Denoiser(config), cells, config=config, seed=0, on_progress=None)
    for sigma in (0.1, 0.15, 0.2):
        noise = rng.standard_normal((60, 8, 3))
        clean = still + width * rng.standard_normal((60, 8, 3))
        noisy = [AtomicSystem(numbers, positions, lattice) for positions in clean + sigma * noise]
        with torch.no_grad():
            field = denoiser(noisy_batch(noisy, [sigma] * 60, cutoff_A=4.0, max_neighbours=20)).numpy()
        loss = np.mean((field + noise.reshape(-1, 3)) ** 2)
        optimum = 1 - (1 - 1 / 8) * sigma**2 / (sigma**2 + width**2)
        assert 0.85 * optimum < loss < 1.2 * optimum


def test_one_cell_overfitted_gives_its_structure_back(overfitted):
    reference = cristobalite(seed=5)
    drawn = draw(overfitted, reference.numbers, reference.lattice_A, count=4, seed=2)
    rng = np.random.default_rng(3)
    uniform = [AtomicSystem(reference.numbers, rng.random((24, 3)) * CRISTOBALITE_A, reference.lattice_A)] * 2
    mine, chance = (generators.compare(cells, [reference], training=[reference]) for cells in (drawn, uniform))
    assert mine.mean_coordination["Si-O"][1] == 4.0
    assert mine.mean_coordination["Si-O"][0] > 3.0
    assert chance.mean_coordination["Si-O"][0] < 2.5
    assert mine.rdf_wasserstein_A["O-Si"] < 0.7 * chance.rdf_wasserstein_A["O-Si"]
    assert mine.minimum_distance_ratio > 0.85
    assert mine.nearest_training < 0.6 * chance.nearest_training


def test_loss_falls_where_structure_remains_and_stays_at_large_noise(overfitted):
    bands = overfitted.metrics.training
    assert bands[0].loss < 0.4 * bands[0].target_power
    assert bands[-1].loss < 1.1 * bands[-1].target_power
    assert [band.sigma_A for band in bands] == sorted(band.sigma_A for band in bands)
    assert overfitted.metrics.validation == ()
    assert overfitted.denoising_losses([cristobalite(seed=9)], seed=0)[0] < 0.8
    losses = [overfitted.denoising_losses([cristobalite()], seed=seed)[0] for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_samples_are_not_all_alike(overfitted):
    cell = cristobalite()
    first, second = (draw(overfitted, cell.numbers, cell.lattice_A, count=2, seed=seed) for seed in (1, 2))
    again = draw(overfitted, cell.numbers, cell.lattice_A, count=2, seed=1)
    np.testing.assert_array_equal(first[0].positions_A, again[0].positions_A)
    metrics = generators.compare([*first, *second], [cell])
    # Thermal copies of the one training cell are the yardstick: samples must differ at least as much.
    copies = generators.compare([cristobalite(seed=1), cristobalite(seed=2)], [cell])
    assert metrics.diversity > copies.diversity
    np.testing.assert_array_equal(first[0].numbers, cell.numbers)
    np.testing.assert_array_equal(first[0].lattice_A, cell.lattice_A)
    assert first[0].fractional @ cell.lattice_A == pytest.approx(first[0].positions_A, abs=1e-9)


def test_a_cell_is_the_same_however_many_are_drawn_with_it(overfitted):
    cell = cristobalite()
    drawn = {count: draw(overfitted, cell.numbers, cell.lattice_A, count=count, seed=2) for count in (1, 3, 5)}
    for cells in drawn.values():
        assert all(np.array_equal(one.positions_A, two.positions_A) for one, two in zip(cells, drawn[5], strict=False))


def test_equal_seeds_give_equal_bytes_and_others_do_not(tiny):
    cells = [rock_salt(3, 17, 5.14)]
    again = generators.train(cells, config=TINY, seed=1)
    other = generators.train(cells, config=TINY, seed=2)
    assert generators.dumps(again) == generators.dumps(tiny)
    assert again.artefact_sha256 == tiny.artefact_sha256 != other.artefact_sha256
    assert again.training_hash == tiny.training_hash != other.training_hash


def test_stored_and_read_it_is_the_same(tiny, tmp_path):
    cell = rock_salt(3, 17, 5.14)
    generators.save(tiny, tmp_path / "kept")
    read = generators.load(tmp_path / "kept")
    assert read.artefact_sha256 == tiny.artefact_sha256
    assert read.metrics == tiny.metrics
    pair = [draw(model, cell.numbers, cell.lattice_A, count=1, seed=3)[0].positions_A for model in (tiny, read)]
    np.testing.assert_array_equal(*pair)
    assert json.loads((tmp_path / "kept" / "model.json").read_text())["schema_version"] == 1


def test_a_checkpoint_of_version_1_draws_the_same_cell():
    stored = (CHECKPOINTS / "amorphous_diffusion_v1.safetensors").read_bytes()
    model = generators.loads(stored, source="version 1")
    assert generators.dumps(model) == stored
    assert model.artefact_sha256 == checkpoint.sha256_of(stored)
    expected = json.loads((CHECKPOINTS / "amorphous_diffusion_v1.json").read_text())
    cell = rock_salt(3, 17, 5.14)
    drawn = draw(model, cell.numbers, cell.lattice_A, count=1, seed=3)[0]
    # Single precision: the last bit differs between machines and the sampler amplifies it.
    assert drawn.positions_A == pytest.approx(np.array(expected["positions_A"]), abs=1e-3)
    assert model.denoising_losses([cell], seed=0) == pytest.approx(expected["losses"], rel=1e-5)


def test_warm_start_goes_on_from_the_parent(overfitted):
    config = SMALL.model_copy(update={"training_steps": 10, "learning_rate": 1e-4})
    child = generators.train([cristobalite()], config=config, seed=3, parent=overfitted)
    cold = generators.train([cristobalite()], config=config, seed=3)
    cells = [cristobalite(seed=4)]
    assert child.denoising_losses(cells, seed=0)[0] < 0.9 * cold.denoising_losses(cells, seed=0)[0]
    assert child.parent_sha256 == overfitted.artefact_sha256
    assert child.cores.least_A[8, 14] <= overfitted.cores.least_A[8, 14]


def test_progress_is_reported(tiny):
    progress = []
    generators.train([rock_salt(3, 17, 5.14)], config=TINY, seed=1, parent=tiny, on_progress=progress.append)
    assert [at.step for at in progress] == [10, 12]
    assert all(np.isfinite(at.loss) for at in progress)


def test_an_element_never_seen_can_be_drawn(tiny):
    cell = draw(tiny, [55] * 2 + [53] * 2, 7.0 * np.eye(3), count=1, seed=1)[0]
    assert np.isfinite(cell.positions_A).all()


def test_whole_compositions_are_held_out_and_stay_so():
    cells = [rock_salt(metal, halide, 5.5, seed=seed) for metal in (3, 11) for halide in (9, 17) for seed in (0, 1)]
    config = TINY.model_copy(update={"validation_fraction": 0.25})
    parent = generators.train(cells, config=config, seed=1)
    (held,) = parent.metrics.validation_groups
    assert held not in parent.metrics.training_groups
    assert parent.metrics.training_cells == 6
    assert len(parent.metrics.validation) == len(parent.metrics.training) > 0
    child = generators.train(
        [*cells, rock_salt(3, 35, 5.5), rock_salt(19, 35, 6.6)], config=config, seed=2, parent=parent
    )
    assert held in child.metrics.validation_groups


def test_groups_do_not_depend_on_what_comes_later():
    groups = [f"Li1X{i}" for i in range(20)]
    few = held_out_groups(groups[:10], fraction=0.2, inherited=())
    more = held_out_groups(groups, fraction=0.2, inherited=few)
    assert set(few) <= set(more)
    assert len(few) == 2
    assert len(more) == 4
    assert held_out_groups(groups[:3], fraction=0.2, inherited=()) == ()
    assert composition_group(np.array([16] * 8 + [3] * 6 + [15] * 2)) == "Li3P1S4"


@pytest.mark.parametrize(
    "damage", ["truncated", "other kind", "newer", "unknown architecture", "other shape", "absent"]
)
def test_what_cannot_be_read_is_refused_in_one_line(tiny, tmp_path, damage):
    arrays, manifest = checkpoint.unpack(generators.dumps(tiny), source="")
    changed = {
        "other kind": {"kind": "surrogate"},
        "newer": {"schema_version": 99},
        "unknown architecture": {"config": {"architecture": "crystal_ball"}},
        "other shape": {"config": manifest["config"] | {"channels": 12}},
    }.get(damage, {})
    content = checkpoint.pack(arrays, manifest | changed)
    target = tmp_path / "model.safetensors"
    if damage != "absent":
        target.write_bytes(content[: len(content) // 2] if damage == "truncated" else content)
    with error_in_one_line(CheckpointError) as fault:
        generators.load(tmp_path)
    assert str(tmp_path) in str(fault.value)


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        (lambda _: generators.train([], config=TINY, seed=1), "at least one"),
        (lambda _: generators.train([HYDROGEN], config=TINY, seed=1), "periodic"),
        (lambda tiny: generators.train([cristobalite()], config=SMALL, seed=1, parent=tiny), "shape"),
        (lambda tiny: draw(tiny, [3, 17], CUBE, count=0, seed=1), "at least 1"),
        (lambda tiny: tiny.sample(GenerationRequest(count=1, seed=1, cell_A=CUBE)), "composition and cell"),
        (lambda tiny: tiny.sample(GenerationRequest(count=1, seed=1, composition=[3, 17])), "composition and cell"),
        (
            lambda tiny: tiny.sample(GenerationRequest(1, 1, [3, 17], CUBE, conditions={"density_g_cm3": 2.0})),
            "density_g_cm3",
        ),
        (lambda tiny: draw(tiny, [3, 170], CUBE, count=1, seed=1), "between 1 and"),
        (lambda tiny: draw(tiny, [3, 17], np.zeros((3, 3)), count=1, seed=1), "volume"),
        (lambda _: generators.compare([cristobalite()], [rock_salt(3, 17, 5.0)]), "elements"),
    ],
)
def test_wrong_input_is_refused(tiny, question, fault):
    with pytest.raises(InputError, match=fault):
        question(tiny)


def test_importing_the_room_imports_no_torch():
    script = "import sys, vitrion_models.generators; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
