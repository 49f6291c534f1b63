"""The figures of the report: one module each, from `ReportData` to `Figure`s, or to none where there is nothing yet."""

from vitrion.report.figures.figure import Figure, Key, Mark

__all__ = ["Figure", "Key", "Mark"]
