"""Consistency of label files."""
