"""Training data of a campaign: its labels as observations of the surrogate."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrion.database import Database
from vitrion.database.queries.comparison import systematic_errors
from vitrion.database.queries.gate_versions import ANY, count_others, is_current
from vitrion.database.queries.quantity import require_one
from vitrion.database.records import Arm, LabelRecord
from vitrion.learning.acquisition.pool import elements_of
from vitrion_models.materials import Material
from vitrion_models.surrogates import DIFFUSIVITY, Sample, diffusivity_sample
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.model_error.effects import case_of
from vitrion_workflows.model_error.given_errors import errors_of_method, method_of_given
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.model_error.observations import method_of
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.structure.composition import parse_formula

LEARNED_STATES = (LabelState.ACCEPTED.value, LabelState.CENSORED.value)
TYPICAL_LABEL_NOISE = 0.1


@dataclass(frozen=True)
class TrainingData:
    """Labels that the surrogate may learn from, and those of the frozen test.

    Attributes:
        observations: both, on amorphous cells, and given labels on compositions; sorted by key within each.
        twins: the training labels again, on the crystal of the composition, so that the surrogate accepts a crystal
            too; none of them belongs to the test.
        test_keys: keys of the labels of the frozen test.
        formulas: reduced formula of each label key.
        errors: systematic error of the most trusted fidelity.
        fidelities: sources of the labels (`Sample.source`), least trusted first; one where there are no others.
        other_gate_versions: number of labels of other gate versions, which are left out, by version.
    """

    observations: tuple[Sample, ...]
    twins: tuple[Sample, ...]
    test_keys: frozenset[str]
    formulas: dict[str, str]
    errors: ModelErrors
    fidelities: tuple[str, ...]
    other_gate_versions: Mapping[int, int]

    @property
    def training(self) -> tuple[Sample, ...]:
        """Samples on cells that are not in the test."""
        return tuple(entry for entry in self.observations if entry.key not in self.test_keys)

    @property
    def testing(self) -> tuple[Sample, ...]:
        """Samples of the frozen test."""
        return tuple(entry for entry in self.observations if entry.key in self.test_keys)

    @property
    def label_noise(self) -> float:
        """Median statistical standard error of the uncensored training labels, decades."""
        return _median_stderr(self.training)

    def label_noise_of(self, fidelity: str) -> float:
        """Return the median statistical standard error of the uncensored training labels of a source, decades."""
        return _median_stderr([entry for entry in self.training if entry.source == fidelity])

    def error_record(self) -> dict[str, Any]:
        """Return the errors of the training labels in decades, each contribution apart, for the surrogate's document.

        `statistical` and `compound` enter the likelihood; `offset` and `deviation` describe the error of the potential
        and do not. Labels of another gate version are only counted, those of less trusted potentials left out.
        """
        labels = [entry for entry in self.training if entry.source == self.fidelities[-1]]
        formulas = [self.formulas[entry.key] for entry in labels]
        model_errors = self.errors.of_cases(
            [
                case_of(formula, elements_of(formula), entry.temperature_K)
                for formula, entry in zip(formulas, labels, strict=True)
            ]
        )
        return {
            "potential": self.errors.potential,
            "weights_sha256": self.errors.weights_sha256,
            "pairs": len(self.errors.pairs),
            "evidence": sorted({error.evidence for error in model_errors}),
            "other_gate_versions": sum(self.other_gate_versions.values()),
            "labels": {
                entry.key: {
                    "statistical": float(entry[DIFFUSIVITY].stderr),
                    "compound": float(entry[DIFFUSIVITY].systematic_stderr),
                    "offset": error.offset_decades,
                    "deviation": error.stderr_decades,
                }
                for entry, error in zip(labels, model_errors, strict=True)
            },
        }


def gather(
    db: Database,
    *,
    campaign: str,
    potential: str,
    weights_sha256: str,
    species: str,
    test_formulas: Collection[str],
    dearer: Sequence[str] = (),
    given: Sequence[LabelRecord] = (),
) -> TrainingData:
    """Read the labels of one campaign that were made with its production potential and its dearer ones.

    Given labels (`given_labels`) are of no campaign, and more trusted than any of them.

    Labels of another potential, of other weights or of a reference potential that is not named measure another quantity
    and are left out. Labels of another gate version are left out and counted: they were not tested by gates added
    later.

    Args:
        db: database of the campaign.
        campaign: its name.
        potential: registry name of the production potential.
        weights_sha256: identity of its weights.
        species: mobile species.
        test_formulas: compositions of the frozen test; all their labels belong to it, whatever arm proposed them.
        dearer: registry names of the dearer potentials, least trusted first.
        given: labels of one quantity from elsewhere.

    Raises:
        InputError: the labels of a potential measure several quantities (species, thermostat).
    """
    methods = [(potential, weights_sha256), *((name, potentials.load(name).weights_sha256) for name in dearer)]
    usable = sorted(
        (row for method in methods for row in _usable(db, campaign, *method, production=method == methods[0])),
        key=lambda row: row.key,
    )
    rows = [row for row in usable if is_current(row.gate_version)]
    for name, _ in methods:
        if of_method := [row for row in rows if row.potential == name]:
            # A cell without estimates of its volume keeps its own; the error of a label's volume is in its model error.
            require_one(of_method, across="volume", purpose="learned from", mixable=False)
    cells = sorted({str(row.structure_fingerprint) for row in rows})
    twins = {row.fingerprint: row.twin for row in db.structures.search(fingerprint=cells) if row.twin} if cells else {}
    systems = db.structures.systems(sorted({*cells, *twins.values()}))
    fidelities = tuple(method_of(*method) for method in methods)
    errors = systematic_errors(db, *methods[-1], species=species, campaign=campaign, without=test_formulas)
    if given:
        fidelities = (*fidelities, method_of_given(given[0].potential, given[0].weights_sha256))
        errors = errors_of_method(fidelities[-1], species=species) or errors
    observations = [_own_sample(row, row.key, systems[str(row.structure_fingerprint)], errors) for row in rows]
    observations += [_given_sample(row, fidelities[-1]) for row in given]
    test_keys = frozenset(row.key for row in (*rows, *given) if row.reduced_formula in test_formulas)
    return TrainingData(
        observations=tuple(observations),
        twins=tuple(
            _own_sample(row, f"{row.key}:twin", systems[twin], errors)
            for row in rows
            if row.key not in test_keys and (twin := twins.get(str(row.structure_fingerprint)))
        ),
        test_keys=test_keys,
        formulas={row.key: row.reduced_formula for row in (*rows, *given)},
        errors=errors,
        fidelities=fidelities,
        other_gate_versions=count_others(row.gate_version for row in usable),
    )


def _usable(db: Database, campaign: str, potential: str, weights_sha256: str, *, production: bool) -> list[LabelRecord]:
    stored = db.labels.search(
        campaign=campaign, potential=potential, property="tracer_diffusivity", gate_version=ANY, sort="key"
    )
    return [
        row
        for row in stored
        if row.state in LEARNED_STATES
        and row.weights_sha256 == weights_sha256
        and row.log10_value is not None
        # A value without a standard error cannot be weighted; a bound has none.
        and (row.log10_stderr is not None or row.state == LabelState.CENSORED)
        and (row.arm != Arm.REFERENCE) == production
    ]


def _median_stderr(samples: Sequence[Sample]) -> float:
    errors = [float(entry[DIFFUSIVITY].stderr) for entry in samples if not entry[DIFFUSIVITY].censored]
    return float(np.median(errors)) if errors else TYPICAL_LABEL_NOISE


def _own_sample(row: LabelRecord, key: str, system: AtomicSystem, errors: ModelErrors) -> Sample:
    scatter = errors.scatter_decades(case_of(row.reduced_formula, row.elements, row.temperature_K))
    return _sample(row, key, system, method_of(row.potential, row.weights_sha256), systematic_stderr=scatter)


def _given_sample(row: LabelRecord, source: str) -> Sample:
    """Return a given label as a sample on its composition; its error is the stated one alone."""
    composition = {element.Z: float(amount) for element, amount in parse_formula(row.reduced_formula).items()}
    return _sample(row, row.key, composition, source)


def _sample(row: LabelRecord, key: str, material: Material, source: str, *, systematic_stderr: float = 0.0) -> Sample:
    return diffusivity_sample(
        material,
        species=row.species,
        temperature_K=row.temperature_K,
        log10_D=float(row.log10_value or 0.0),
        stderr=row.log10_stderr or 0.0,
        censored=row.state == LabelState.CENSORED.value,
        group=row.chemsys,
        key=key,
        source=source,
        systematic_stderr=systematic_stderr,
    )
