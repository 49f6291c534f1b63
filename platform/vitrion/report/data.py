"""Everything a report shows, as plain frozen data: what `collect` reads and `page` draws."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vitrion_workflows.model_error.compound_error import CompoundError
from vitrion_workflows.schemas import GateOutcome, LabelState, MsdTable, Origin


@dataclass(frozen=True)
class Cell:
    """One amorphous cell that the campaign made, accepted or not.

    Attributes:
        fingerprint: identity.
        formula: reduced formula.
        origin: melt-quench or generated.
        accepted: whether every gate passed.
        gates: what the gates measured.
        atoms: number of atoms.
        density_g_cm3: mass density.
        quench_rate_K_per_ps: cooling rate, None for generated cells.
        wall_seconds: time it took.
    """

    fingerprint: str
    formula: str
    origin: Origin
    accepted: bool
    gates: tuple[GateOutcome, ...]
    atoms: int
    density_g_cm3: float
    quench_rate_K_per_ps: float | None = None
    wall_seconds: float = 0.0


@dataclass(frozen=True)
class LabelRow:
    """One label of the campaign, with what is needed to draw it.

    Attributes:
        key: identity.
        fingerprint: the cell it belongs to.
        formula: reduced formula.
        origin: how the cell was made.
        temperature_K: set temperature.
        state: verdict of the gates.
        value_cm2_s: D, an upper bound when censored, None when rejected without one.
        interval_95_cm2_s: 95 % interval of D.
        log10_stderr: standard error in decades.
        arm: why it was asked for, for example ``initial``, ``random`` or the acquisition's name.
        cycle: index of the cycle that asked for it.
        msd: the MSD table.
        fit_window_ps: lag times the fit used.
        equilibration_ps: what the statistical rule discarded.
        production_ps: length of the trajectory.
        n_eff: effective number of independent displacements.
        exponent: logarithmic slope of the MSD.
        gates: what the gates measured.
        wall_seconds: time it took.
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
    wall_seconds: float = 0.0


@dataclass(frozen=True)
class Prediction:
    """The surrogate's belief of one cell at the target temperature.

    Attributes:
        fingerprint: the cell.
        formula: reduced formula.
        origin: how the cell was made.
        log10_D: mean, D in cm2/s.
        lower_95: lower end of the 95 % interval, log10.
        upper_95: upper end, log10.
        Ea_eV: activation energy of its Arrhenius head.
        extrapolating: whether the question lies outside what it was trained on.
    """

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
    """A label and what the surrogate says of it, in decades of cm2/s.

    Attributes:
        formula: reduced formula.
        temperature_K: temperature of both.
        measured: the label.
        measured_stderr: its standard error.
        predicted: mean of the prediction.
        predicted_std: deviation expected of a new label about that mean, its own noise included.
        lower_95: lower end of the interval that should hold such a label.
        upper_95: upper end.
        held_out: whether it belongs to the frozen test.
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
    """A simple model beside the surrogate, scored on the same frozen test, in decades."""

    name: str
    rmse: float
    mae: float


@dataclass(frozen=True)
class CycleRow:
    """What one cycle did.

    Attributes:
        index: from 0.
        state: where its state machine stands.
        labels: labels it brought.
        surrogate_promoted: whether the retrained surrogate replaced its parent; None before that was decided.
        surrogate_reason: why, or why not.
        generator_promoted: the same for the generator.
        generator_reason: the same for the generator.
        drawn: cells the generator drew.
        drawn_accepted: how many of them passed the gates.
        wall_seconds: time it took.
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
    """Worker time of one kind of work."""

    stage: str
    tasks: int
    worker_seconds: float


@dataclass(frozen=True)
class RefereePair:
    """One question put to both potentials, in decades of cm2/s.

    Attributes:
        formula: reduced formula.
        fingerprint: the cell.
        temperature_K: of both labels.
        workhorse, workhorse_stderr, workhorse_95: log10 D of the workhorse, its standard error and 95 % interval.
        referee, referee_stderr, referee_95: the same of the referee.
        referee_name: registry name of the referee.
        referee_ps: length of its run.
    """

    formula: str
    fingerprint: str
    temperature_K: float
    workhorse: float
    workhorse_stderr: float
    workhorse_95: tuple[float, float]
    referee: float
    referee_stderr: float
    referee_95: tuple[float, float]
    referee_name: str
    referee_ps: float

    @property
    def difference(self) -> float:
        """log10 of the workhorse's D over the referee's."""
        return self.workhorse - self.referee

    @property
    def stderr(self) -> float:
        """Statistical standard error of the difference."""
        return math.hypot(self.workhorse_stderr, self.referee_stderr)


@dataclass(frozen=True)
class ReportData:
    """One campaign as a report shows it.

    Attributes:
        campaign: its name.
        state: where it stands.
        species: mobile species.
        target_temperature_K: temperature at which conductors are ranked.
        made: when this report was made.
        potential: name of the workhorse potential.
        potential_note: one sentence where it is not the one that was wanted, else empty.
        acquisition: name of the acquisition function.
        wall_seconds: time from the first to the last act.
        other_gate_versions: number of labels left out, by gate version (`vitrion.database.queries.gate_versions`);
            `cycles` and `costs` are history and count them.
        outdated_training_labels: number of the surrogate's training labels that were of other gate versions.
        model_errors: what the potential is off by for each composition at the target temperature.
        provenance: names and values of what a repetition would need.
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
    labels: tuple[LabelRow, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    rdfs: tuple[RdfComparison, ...] = ()
    parity: tuple[ParityPoint, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    cycles: tuple[CycleRow, ...] = ()
    costs: tuple[StageCost, ...] = ()
    referee: tuple[RefereePair, ...] = ()
    model_errors: Mapping[str, CompoundError] = field(default_factory=dict)
    provenance: tuple[tuple[str, str], ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted_labels(self) -> tuple[LabelRow, ...]:
        """Labels with a value that the gates believed."""
        return tuple(
            row for row in self.labels if row.state is LabelState.ACCEPTED and row.value_cm2_s and row.interval_95_cm2_s
        )
