"""Acquisition: which structures to label next, at which temperature."""
