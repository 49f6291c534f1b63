"""Queries: filters, rows, statistics, comparison of labels, selection by quantity and gate version."""
