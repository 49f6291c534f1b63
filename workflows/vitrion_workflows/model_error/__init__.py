"""Systematic error of a potential, inferred from AIMD and from a reference potential."""
