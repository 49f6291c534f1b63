"""The report: one self-contained HTML page for a campaign."""

from vitrion.report.building import build

__all__ = ["build"]
