"""Comparisons with AIMD, and between potentials, as observations of the effects of the error model."""

from collections.abc import Iterable
from dataclasses import dataclass

from vitrion_models.uncertainty.mixed_effects import Effects, Observation
from vitrion_workflows.model_error.aimd_comparisons import WEIGHTS_DIGITS, AimdComparison
from vitrion_workflows.model_error.effects import Case, add, cell_growth, expansion, force_part, tiers
from vitrion_workflows.model_error.hyperparameters import Hyperparameters
from vitrion_workflows.model_error.volume_sensitivity import sensitivity
from vitrion_workflows.structure.formula import element_amounts

ZERO_PRESSURE = "zero-pressure"
SMALLEST_STDERR = 0.01
VOLUME_STDERR = 0.02  # of ln V by a volume search: its last two volumes agree to 2 %


@dataclass(frozen=True, kw_only=True)
class PotentialPair:
    """Labels of one cell at one temperature by the potential and by a reference potential.

    Attributes:
        compound: reduced formula.
        elements: its chemical symbols.
        temperature_K: of both labels.
        reference: registry name of the other potential.
        reference_sha256: of its weights.
        log10_ratio: log10 of the potential's D over the reference's.
        stderr: statistical standard error of that, decades.
        force_r2: agreement of the potential's forces with those of a reference along its run; None where unknown.
    """

    compound: str
    elements: frozenset[str]
    temperature_K: float
    reference: str
    reference_sha256: str
    log10_ratio: float
    stderr: float
    force_r2: float | None = None


def case_of_comparison(row: AimdComparison) -> Case:
    """Return the case of a comparison with AIMD."""
    return Case(
        compound=row.compound,
        elements=frozenset(element_amounts(row.compound)),
        temperature_K=row.temperature_K,
        force_r2=row.force_r2,
        ln_volume_ratio=row.ln_volume_ratio,
    )


def observe_aimd(row: AimdComparison, parameters: Hyperparameters) -> Observation:
    """Return a comparison with AIMD, less the effect of the volume that is expected, as an observation.

    The AIMD value has an error of its own, which all comparisons with it share.
    """
    case, method = case_of_comparison(row), method_of(row.potential, row.weights)
    per_volume, stderr = sensitivity(case.elements, row.temperature_K)
    own: Effects = {
        ("aimd", row.compound, f"{row.temperature_K:g}"): row.aimd_stderr,
        ("cell", row.potential, row.compound, f"{row.temperature_K:g}", row.route, row.seed): cell_growth(
            row.log10_D_aimd + row.log10_ratio
        ),
    }
    return Observation(
        value=row.log10_ratio - per_volume * row.ln_volume_ratio,
        stderr=max(row.log10_stderr, SMALLEST_STDERR),
        effects=add(
            (1.0, force_part(method, case, parameters)),
            (stderr * row.ln_volume_ratio, tiers("sensitivity", method, case)),
            (1.0, own),
        ),
    )


def observe_pair(method: str, pair: PotentialPair, parameters: Hyperparameters) -> Observation:
    """Return a pair of labels as an observation of the difference of two errors; the cell and its volume cancel."""
    own = Case(compound=pair.compound, elements=pair.elements, temperature_K=pair.temperature_K, force_r2=pair.force_r2)
    reference = Case(compound=pair.compound, elements=pair.elements, temperature_K=pair.temperature_K)
    other = method_of(pair.reference, pair.reference_sha256[:WEIGHTS_DIGITS])
    return Observation(
        value=pair.log10_ratio,
        stderr=pair.stderr,
        effects=add(
            (1.0, force_part(method, own, parameters)),
            (-1.0, force_part(other, reference, parameters)),
        ),
    )


def observe_expansion(rows: Iterable[AimdComparison]) -> list[Observation]:
    """Return the volumes of zero pressure among comparisons as observations of the potential's expansion."""
    return [
        Observation(
            value=row.ln_volume_ratio,
            stderr=VOLUME_STDERR,
            effects=expansion(method_of(row.potential, row.weights), case_of_comparison(row)),
        )
        for row in rows
        if row.route == ZERO_PRESSURE
    ]


def method_of(potential: str, weights_sha256: str) -> str:
    """Return the method of a label in one line: the potential's name and the sha256 of its weights."""
    return f"{potential} {weights_sha256}"
