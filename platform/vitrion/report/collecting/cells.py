"""Amorphous cells of a campaign, accepted or not."""

from vitrion.database import Database
from vitrion.database.records import StructureRecord
from vitrion.report import data
from vitrion_workflows.schemas import Origin

MADE = (Origin.MELT_QUENCH.value, Origin.GENERATED.value)


def made_cells(db: Database, campaign: str) -> dict[str, StructureRecord]:
    """Return the cells made by the campaign by fingerprint, oldest first."""
    rows = db.structures.search(campaign=campaign, origin=MADE, sort="created_at")
    return {row.fingerprint: row for row in rows}


def report_cell(row: StructureRecord) -> data.Cell:
    """Return a stored cell as the report shows it."""
    return data.Cell(
        fingerprint=row.fingerprint,
        formula=row.reduced_formula,
        origin=Origin(row.origin),
        accepted=row.accepted,
        gates=row.gates,
        atoms=row.n_atoms,
        density_g_cm3=row.density_g_cm3,
        quench_rate_K_per_ps=row.quench_rate_K_per_ps,
        wall_seconds=row.wall_seconds or 0.0,
    )
