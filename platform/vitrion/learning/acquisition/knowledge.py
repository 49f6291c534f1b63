"""What a campaign knows: its labels as observations, its cells, and what the surrogate says of both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.core.composition import Composition

from vitrion.database import Database
from vitrion.database.queries.comparison import systematic_errors
from vitrion.database.queries.gate_versions import count_others, is_current
from vitrion.database.queries.quantity import require_one
from vitrion.database.records import Arm, LabelRecord
from vitrion.learning.acquisition.pool import Candidate, Forecast
from vitrion_models.surrogates import Observation, TrainedSurrogate
from vitrion_models.system import AtomicSystem
from vitrion_workflows.model_error.compound_error import SystematicErrors, method_of
from vitrion_workflows.schemas import LabelState, StructureKind

LEARNED_STATES = (LabelState.ACCEPTED.value, LabelState.CENSORED.value)
MEMBER_DRAWS = 64
TYPICAL_LABEL_NOISE = 0.1


@dataclass(frozen=True)
class Knowledge:
    """The labels that may be learned from, and those of the frozen test.

    Attributes:
        observations: of both, cells only; sorted by key.
        twins: the training labels again, on the crystal of the composition, so that the surrogate accepts a crystal
            too; none of them belongs to the test.
        test_keys: labels of the frozen test.
        formulas: reduced formula of each label key.
        errors: what the potential is off by, as far as this campaign knows.
        other_gate_versions: number of labels left out, by gate version.
    """

    observations: tuple[Observation, ...]
    twins: tuple[Observation, ...]
    test_keys: frozenset[str]
    formulas: dict[str, str]
    errors: SystematicErrors
    other_gate_versions: Mapping[int, int]

    @property
    def training(self) -> tuple[Observation, ...]:
        """Observations that are not in the test, twins left out."""
        return tuple(entry for entry in self.observations if entry.key not in self.test_keys)

    @property
    def testing(self) -> tuple[Observation, ...]:
        """Observations of the frozen test."""
        return tuple(entry for entry in self.observations if entry.key in self.test_keys)

    @property
    def label_noise(self) -> float:
        """Median statistical error of the uncensored training labels, in decades; the test's do not help to choose."""
        errors = [entry.log10_stderr for entry in self.training if not entry.censored]
        return float(np.median(errors)) if errors else TYPICAL_LABEL_NOISE

    def given_errors(self) -> dict[str, Any]:
        """The errors of the training labels as they were given to the surrogate, for its record: decades, each apart.

        `statistical` and `compound` entered the likelihood; `offset` and `deviation` are of nature and did not. Labels
        of other gate versions were not given and are only counted.
        """
        formulas = [self.formulas[entry.key] for entry in self.training]
        off = self.errors.ask_all(
            [
                (formula, elements_of(formula), entry.temperature_K)
                for formula, entry in zip(formulas, self.training, strict=True)
            ]
        )
        return {
            "potential": self.errors.potential,
            "weights_sha256": self.errors.weights_sha256,
            "pairs": len(self.errors.pairs),
            "evidence": sorted({error.evidence for error in off}),
            "other_gate_versions": sum(self.other_gate_versions.values()),
            "labels": {
                entry.key: {
                    "statistical": entry.log10_stderr,
                    "compound": entry.model_stderr,
                    "offset": error.offset_decades,
                    "deviation": error.stderr_decades,
                }
                for entry, error in zip(self.training, off, strict=True)
            },
        }


def gather(
    db: Database, *, campaign: str, potential: str, weights_sha256: str, test_formulas: Collection[str]
) -> Knowledge:
    """Read the labels of one campaign that were made with one potential.

    Labels of another potential, of other weights of the same one, or of a referee are another quantity and are left
    out; what is left must be of one. Labels of other gate versions are left out and counted.

    Args:
        db: where from.
        campaign: its name.
        potential: registry name of the workhorse.
        weights_sha256: identity of its weights.
        test_formulas: compositions of the frozen test; every label of theirs belongs to it, whoever asked.

    Raises:
        InputError: the labels are of several quantities nevertheless (species, thermostat).
    """
    found = db.labels.search(
        campaign=campaign, potential=potential, property="tracer_diffusivity", gate_version="any", sort="key"
    )
    sound = [
        row
        for row in found
        if row.state in LEARNED_STATES
        and row.weights_sha256 == weights_sha256
        and row.log10_value is not None
        # A value whose error nobody knows is no label; a bound has none.
        and (row.log10_stderr is not None or row.state == LabelState.CENSORED)
        and row.arm != Arm.REFERENCE
    ]
    rows = [row for row in sound if is_current(row.gate_version)]
    if rows:
        require_one(rows, purpose="learned from")
    cells = {str(row.structure_fingerprint) for row in rows}
    crystals = {name: twin for name in cells if (twin := db.structures.get(name).twin) is not None}
    errors = systematic_errors(db, potential, weights_sha256, campaign=campaign, without=test_formulas)
    structures = db.structures.structures(sorted(cells | set(crystals.values())))
    systems = {name: db.structures.system(name) for name in structures}
    test_keys = frozenset(row.key for row in rows if row.reduced_formula in test_formulas)
    return Knowledge(
        observations=tuple(_observation(row, row.key, systems[str(row.structure_fingerprint)], errors) for row in rows),
        twins=tuple(
            _observation(row, f"{row.key}:twin", systems[crystals[str(row.structure_fingerprint)]], errors)
            for row in rows
            if row.key not in test_keys and str(row.structure_fingerprint) in crystals
        ),
        test_keys=test_keys,
        formulas={row.key: row.reduced_formula for row in rows},
        errors=errors,
        other_gate_versions=count_others(row.gate_version for row in sound),
    )


def _observation(row: LabelRecord, key: str, system: AtomicSystem, errors: SystematicErrors) -> Observation:
    return Observation(
        system=system,
        species=row.species,
        temperature_K=row.temperature_K,
        log10_D=float(row.log10_value or 0.0),
        log10_stderr=row.log10_stderr or 0.0,
        censored=row.state == LabelState.CENSORED.value,
        group=row.chemsys,
        key=key,
        source=method_of(row.potential, row.weights_sha256),
        model_stderr=errors.scatter_decades(row.elements),
    )


def build_pool(
    db: Database,
    *,
    campaign: str,
    crystals: Mapping[str, str | None],
    asked: Mapping[str, frozenset[float]],
    temperatures_K: Sequence[float],
) -> list[Candidate]:
    """Everything that could be labelled next, in a fixed order.

    Args:
        db: where from.
        campaign: its name.
        crystals: crystal (or None) of each reduced formula that may be proposed; the test's are not among them.
        asked: temperatures already asked for, by fingerprint of the cell.
        temperatures_K: temperatures a label may be made at.

    Returns:
        The accepted amorphous cells, and the crystals of compositions without one; each with a temperature left.
    """
    cells = [
        row
        for row in db.structures.search(campaign=campaign, kind=StructureKind.AMORPHOUS.value, sort="fingerprint")
        if row.accepted and row.reduced_formula in crystals
    ]
    with_cell = {row.reduced_formula for row in cells}
    candidates = [
        Candidate(
            formula=row.reduced_formula,
            fingerprint=row.fingerprint,
            is_cell=True,
            material=db.structures.system(row.fingerprint),
            asked_K=asked.get(row.fingerprint, frozenset()),
        )
        for row in cells
    ]
    candidates += [
        Candidate(
            formula=formula,
            fingerprint=crystal,
            is_cell=False,
            material=amounts(formula) if crystal is None else db.structures.system(crystal),
            asked_K=frozenset(),
        )
        for formula, crystal in sorted(crystals.items())
        if formula not in with_cell
    ]
    return [entry for entry in candidates if set(temperatures_K) - entry.asked_K]


def amounts(formula: str) -> dict[int, float]:
    """Amounts by atomic number of a formula, for a composition without any cell."""
    return {element.Z: float(amount) for element, amount in Composition(formula).items()}


def elements_of(formula: str) -> frozenset[str]:
    """Chemical symbols in a formula."""
    return frozenset(element.symbol for element in Composition(formula).elements)


def forecast(
    surrogate: TrainedSurrogate,
    pool: Sequence[Candidate],
    *,
    temperatures_K: Sequence[float],
    target_K: float,
    errors: SystematicErrors,
    seed: int,
) -> Forecast:
    """The surrogate's answers for a pool at every temperature, and what their potential is off by at the target."""
    systems = [candidate.material for candidate in pool]
    shape = (len(temperatures_K), len(pool))
    # One call for all temperatures: each cell's graph is evaluated once.
    answer = surrogate.predict(systems * shape[0], np.repeat(np.array(temperatures_K, dtype=float), shape[1]))
    off = errors.ask_all([(entry.formula, elements_of(entry.formula), target_K) for entry in pool])
    return Forecast(
        temperatures_K=np.array(temperatures_K, dtype=float),
        mean=answer.mean.reshape(shape),
        std=answer.std.reshape(shape),
        members=surrogate.predict_members(systems, target_K, samples=MEMBER_DRAWS, seed=seed),
        target_index=list(temperatures_K).index(target_K),
        model_offset=np.array([error.offset_decades for error in off]),
        model_std=np.array([error.stderr_decades for error in off]),
    )
