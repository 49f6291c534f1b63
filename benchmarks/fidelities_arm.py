"""One campaign on recorded labels, by the surrogate and the acquisition of the product."""

import numpy as np
from fidelities_pool import CHEAP, Pool

from vitrion.learning.acquisition.fidelities import LabelOptions, Target, choose_options
from vitrion_models.surrogates import MultiFidelityConfig, diffusivity_sample, train
from vitrion_models.surrogates.multi_fidelity.model import MultiFidelitySurrogate
from vitrion_workflows.structure.composition import parse_formula

START = {True: 6, False: 2}  # compounds with a cheap label, with a dear one
LABELS_A_CYCLE = 20


class Arm:
    """One campaign on recorded labels."""

    def __init__(self, name: str, pool: Pool, *, target_K: int, dear: str, seed: int) -> None:
        self.name, self.pool, self.target_K, self.seed = name, pool, target_K, seed
        self.fidelities = {"cheap": (CHEAP,), "dear": (dear,)}.get(name, (CHEAP, dear))
        self.records = [(place, entry) for place, f in enumerate(self.fidelities) for entry in pool.labels[f]]
        self.column = {formula: column for column, formula in enumerate(pool.formulas)}
        self.corrects = name == "cheap"
        self.labelled: list[int] = []
        self.random = np.random.default_rng(seed)

    def run(self, budget: float, cycle_budget: float) -> list[tuple[float, float]]:
        """Return (seconds spent, regret in decades) after each cycle, until the budget or the records end."""
        # The starting compounds are those of every arm with this seed.
        start = np.random.default_rng(self.seed).permutation(self.pool.formulas)
        self.labelled = [
            self._nearest_target(str(formula), place)
            for place, fidelity in enumerate(self.fidelities)
            for formula in start[: START[fidelity == CHEAP]]
        ]
        curve = []
        while True:
            surrogate = self.train()
            curve.append((self.spent, self._regret(surrogate)))
            if self.spent >= budget or len(self.labelled) == len(self.records):
                return curve
            self.labelled += self._choose(surrogate, cycle_budget)

    @property
    def spent(self) -> float:
        """Seconds of all labels."""
        return sum(self.records[row][1].seconds for row in self.labelled)

    def _nearest_target(self, formula: str, place: int) -> int:
        rows = [
            row for row, (fidelity, entry) in enumerate(self.records) if (fidelity, entry.formula) == (place, formula)
        ]
        return min(rows, key=lambda row: abs(self.records[row][1].temperature_K - self.target_K))

    def train(self) -> MultiFidelitySurrogate:
        """Return the surrogate of the labels made so far."""
        materials = self.pool.materials
        samples = [
            diffusivity_sample(
                materials[self.column[entry.formula]],
                species="Li",
                temperature_K=entry.temperature_K,
                log10_D=entry.log10_D,
                stderr=entry.stderr,
                systematic_stderr=self.corrects * float(self.pool.scatter[self.column[entry.formula]]),
                group=parse_formula(entry.formula).chemical_system,
                key=str(row),
                source=self.fidelities[place],
            )
            for row in self.labelled
            for place, entry in [self.records[row]]
        ]
        config = MultiFidelityConfig(members=2, fidelities=self.fidelities)
        trained = train(samples, test_keys=(), config=config, seed=self.seed)
        if not isinstance(trained, MultiFidelitySurrogate):
            raise TypeError("the registry returned another architecture")
        return trained

    def _regret(self, surrogate: MultiFidelitySurrogate) -> float:
        mean = surrogate.predict(self.pool.materials, float(self.target_K)).mean - self.corrects * self.pool.offset
        return float(self.pool.truth.max() - self.pool.truth[int(np.argmax(mean))])

    def _choose(self, surrogate: MultiFidelitySurrogate, cycle_budget: float) -> list[int]:
        free = [row for row in range(len(self.records)) if row not in set(self.labelled)]
        if self.name == "random":
            order = [free[place] for place in self.random.permutation(len(free))[:LABELS_A_CYCLE]]
            spent = np.cumsum([self.records[row][1].seconds for row in order])
            return order[: int(np.searchsorted(spent, cycle_budget)) + 1]
        typical = {
            place: np.median([e.seconds for p, e in self.records if p == place])
            for place in range(len(self.fidelities))
        }
        noise = {
            (place, kelvin): np.median([e.stderr for p, e in self.records if (p, e.temperature_K) == (place, kelvin)])
            for place, kelvin in {(p, e.temperature_K) for p, e in self.records}
        }
        chosen = choose_options(
            surrogate,
            self.pool.materials,
            LabelOptions(
                candidate=np.array([self.column[self.records[row][1].formula] for row in free]),
                fidelity=np.array([self.records[row][0] for row in free]),
                temperature_K=np.array([float(self.records[row][1].temperature_K) for row in free]),
                seconds=np.array([float(typical[self.records[row][0]]) for row in free]),
                stderr=np.array([noise[self.records[row][0], self.records[row][1].temperature_K] for row in free]),
            ),
            Target(
                float(self.target_K),
                self.pool.formulas,
                self.corrects * self.pool.offset,
                self.corrects * self.pool.deviation,
            ),
            count=LABELS_A_CYCLE,
            budget_seconds=cycle_budget,
        )
        return [free[choice.option] for choice in chosen]
