"""Environment of jobs: loaded potentials, scratch folder, stop requests."""
