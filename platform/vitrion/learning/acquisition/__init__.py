"""Acquisition: the pool of candidates, what is known of them, and the choice of what to label next."""
