"""Commands that run campaigns: `vitrion campaign`, `schedule` and `worker`."""
