"""From the documents of a campaign to `ReportData`."""

from vitrion.report.collecting.campaign import collect

__all__ = ["collect"]
