"""Quality gates on a trajectory: continuity, temperature, equilibration, drift, plausibility."""
