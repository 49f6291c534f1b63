"""Content of a report as frozen data, read by `collecting` and drawn by `page`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vitrion_workflows.model_error.compound_error import CompoundError
from vitrion_workflows.schemas import GateOutcome, LabelState, MsdTable, Origin, VolumeEstimates
from vitrion_workflows.schemas.homonuclear import HomonuclearBonds


@dataclass(frozen=True)
class Cell:
    """One amorphous cell that the campaign made, accepted or not; generated ones have no quench rate.

    `reference` is the potential that checked its forces, None without a check.
    """

    fingerprint: str
    formula: str
    origin: Origin
    accepted: bool
    gates: tuple[GateOutcome, ...]
    atoms: int
    density_g_cm3: float
    homonuclear_bonds: tuple[HomonuclearBonds, ...] = ()
    reference: str | None = None
    volumes: VolumeEstimates | None = None
    quench_rate_K_per_ps: float | None = None
    wall_seconds: float = 0.0


@dataclass(frozen=True)
class Label:
    """One label of the campaign.

    Attributes:
        key: identity.
        fingerprint: the cell it belongs to.
        formula: reduced formula.
        origin: how the cell was made.
        temperature_K: set temperature.
        state: accepted, censored or rejected.
        value_cm2_s: D, an upper bound when censored, None when rejected without one.
        interval_95_cm2_s: 95 % interval of D.
        log10_stderr: standard error in decades.
        arm: which arm proposed it: ``initial``, ``random``, ``acquisition`` ...
        cycle: index of the cycle that proposed it.
        msd: the MSD table.
        fit_window_ps: range of lag times of the fit.
        equilibration_ps: discarded at the start.
        production_ps: analysed length of the trajectory.
        n_eff: effective number of independent displacements.
        exponent: logarithmic slope of the MSD.
        gates: outcomes of the gates.
        force_r2: agreement of the forces with those of the reference potential; None where none was measured.
        wall_seconds: wall time.
    """

    key: str
    fingerprint: str
    formula: str
    origin: Origin
    temperature_K: float
    state: LabelState
    value_cm2_s: float | None
    interval_95_cm2_s: tuple[float, float] | None
    log10_stderr: float | None
    arm: str
    cycle: int
    msd: MsdTable | None = None
    fit_window_ps: tuple[float, float] | None = None
    equilibration_ps: float = 0.0
    production_ps: float = 0.0
    n_eff: float | None = None
    exponent: float | None = None
    gates: tuple[GateOutcome, ...] = ()
    force_r2: float | None = None
    wall_seconds: float = 0.0


@dataclass(frozen=True)
class Prediction:
    """Surrogate's log10 D (D in cm2/s) of one cell at the target temperature, with its 95 % interval."""

    fingerprint: str
    formula: str
    origin: Origin
    log10_D: float
    lower_95: float
    upper_95: float
    Ea_eV: float | None = None
    extrapolating: bool = False


@dataclass(frozen=True)
class RdfComparison:
    """Partial radial distribution functions of one formula, quenched and generated cells.

    Attributes:
        formula: reduced formula.
        pair: for example ``Li-Cl``.
        r_A: bin centres.
        quenched: g(r) of each melt-quenched cell, shape (cells, bins).
        generated: g(r) of each generated cell, shape (cells, bins); may hold none.
    """

    formula: str
    pair: str
    r_A: tuple[float, ...]
    quenched: tuple[tuple[float, ...], ...]
    generated: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ParityPoint:
    """A label and its prediction by the surrogate, log10 of D in cm2/s.

    Attributes:
        formula: reduced formula.
        temperature_K: temperature of both.
        measured: value of the label.
        measured_stderr: its standard error.
        predicted: mean of the prediction.
        predicted_std: standard deviation of a new label about that mean, its own noise included.
        lower_95: lower end of the 95 % interval of such a label.
        upper_95: upper end.
        held_out: True for labels of the frozen test.
    """

    formula: str
    temperature_K: float
    measured: float
    measured_stderr: float
    predicted: float
    predicted_std: float
    lower_95: float
    upper_95: float
    held_out: bool


@dataclass(frozen=True)
class Baseline:
    """Errors of a baseline model on the frozen test, in decades."""

    name: str
    rmse: float
    mae: float


@dataclass(frozen=True)
class Cycle:
    """Results of one cycle.

    Attributes:
        index: from 0.
        state: state of the cycle.
        labels: number of labels by the production potential.
        surrogate_promoted: True if the retrained surrogate replaced its parent; None before the decision.
        surrogate_reason: reason of the decision.
        generator_promoted: the same for the generator.
        generator_reason: the same for the generator.
        drawn: number of cells drawn from the generator.
        drawn_accepted: number of them that passed the gates.
        wall_seconds: wall time.
    """

    index: int
    state: str
    labels: int
    surrogate_promoted: bool | None = None
    surrogate_reason: str = ""
    generator_promoted: bool | None = None
    generator_reason: str = ""
    drawn: int = 0
    drawn_accepted: int = 0
    wall_seconds: float = 0.0


@dataclass(frozen=True)
class StageCost:
    """Worker time of one stage."""

    stage: str
    tasks: int
    worker_seconds: float


@dataclass(frozen=True)
class ReferencePair:
    """Labels of one cell and temperature by both potentials, log10 of D in cm2/s.

    Attributes:
        formula: reduced formula.
        fingerprint: the cell.
        temperature_K: of both labels.
        production, production_stderr, production_95: by the production potential: value, standard error, 95 % interval.
        reference, reference_stderr, reference_95: the same by the reference potential.
        reference_name: registry name of the reference potential.
        reference_ps: length of its run.
    """

    formula: str
    fingerprint: str
    temperature_K: float
    production: float
    production_stderr: float
    production_95: tuple[float, float]
    reference: float
    reference_stderr: float
    reference_95: tuple[float, float]
    reference_name: str
    reference_ps: float

    @property
    def difference(self) -> float:
        """log10(D by the production potential / D by the reference potential)."""
        return self.production - self.reference

    @property
    def stderr(self) -> float:
        """Statistical standard error of the difference."""
        return math.hypot(self.production_stderr, self.reference_stderr)


@dataclass(frozen=True)
class ReportData:
    """One campaign as a report shows it.

    Attributes:
        campaign: its name.
        state: ``done``, or how many cycles are closed.
        species: mobile species.
        target_temperature_K: temperature at which conductors are ranked.
        made: time of this report.
        potential: name of the production potential.
        potential_note: one sentence where it is not the configured one, else empty.
        acquisition: name of the acquisition function.
        wall_seconds: time from the creation of the campaign to the end of its last cycle.
        other_gate_versions: number of labels left out, by gate version (`vitrion.database.queries.gate_versions`);
            `cycles` and `costs` are history and count them.
        outdated_training_labels: number of the surrogate's training labels that were of other gate versions.
        trusted_predictions: by the most trusted fidelity, where a campaign has several.
        model_errors: systematic error of the potential by composition, at the target temperature.
        label_errors: the same for labels of that temperature, with what is known of their forces and cells, by key.
        model_covariances: covariance of the potential's errors of two compositions there, decades squared.
        provenance: names and values needed to repeat the campaign.
        configuration: the campaign's validated configuration.
    """

    campaign: str
    state: str
    species: str
    target_temperature_K: float
    made: datetime
    potential: str
    acquisition: str
    potential_note: str = ""
    wall_seconds: float | None = None
    other_gate_versions: Mapping[int, int] = field(default_factory=dict)
    outdated_training_labels: int = 0
    cells: tuple[Cell, ...] = ()
    labels: tuple[Label, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    trusted_predictions: tuple[Prediction, ...] = ()
    rdfs: tuple[RdfComparison, ...] = ()
    parity: tuple[ParityPoint, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    costs: tuple[StageCost, ...] = ()
    reference_pairs: tuple[ReferencePair, ...] = ()
    model_errors: Mapping[str, CompoundError] = field(default_factory=dict)
    label_errors: Mapping[str, CompoundError] = field(default_factory=dict)
    model_covariances: Mapping[tuple[str, str], float] = field(default_factory=dict)
    provenance: tuple[tuple[str, str], ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted_labels(self) -> tuple[Label, ...]:
        """Accepted labels with value and interval."""
        return tuple(
            row for row in self.labels if row.state is LabelState.ACCEPTED and row.value_cm2_s and row.interval_95_cm2_s
        )
