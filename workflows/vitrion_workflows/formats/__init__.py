"""Files of other programs: one module a format, read by `ingest` and by trajectories alike."""
