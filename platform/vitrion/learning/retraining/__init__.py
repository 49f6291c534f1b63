"""Retraining: surrogate and generator learn from all labels, and replace their parents if they are not worse."""
