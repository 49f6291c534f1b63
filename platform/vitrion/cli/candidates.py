"""`vitrion candidates`: compositions derived from crystals of the database."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrion.cli.console.options import LARGEST_INTEGER, LARGEST_SEED
from vitrion.cli.console.output import emit
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from vitrion.database import Database
    from vitrion_workflows.candidates import CandidateComposition, Parent

app = typer.Typer(no_args_is_help=True, help="Propose compositions from the crystals of the database.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def noun() -> None:
    """Propose compositions from the crystals of the database."""


@app.command()
def propose(
    formulas: Annotated[
        list[str] | None,
        typer.Argument(help="Compounds to start from; default: every accepted crystal of the database."),
    ] = None,
    *,
    limit: Annotated[
        int | None,
        typer.Option("-n", "--limit", min=1, max=LARGEST_INTEGER, help="Most compositions, drawn by the seed."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the draw where there are more than the limit.")
    ] = 0,
    least_gap_eV: Annotated[
        float, typer.Option("--least-gap", min=0, help="Smallest band gap in eV, where one is stored.")
    ] = 3.0,
    imbalance: Annotated[
        bool, typer.Option("--allow-imbalance", help="Include compositions with uncompensated charge.")
    ] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Include refused compositions, with the reasons.")] = False,
    as_json: AsJson = False,
) -> None:
    """Derive compositions by lithium content and isovalent substitution, each with its charge and its reasons."""
    from vitrion_workflows.candidates import CandidateSettings, Parent, propose_compositions  # noqa: PLC0415

    parents = [Parent(formula=formula) for formula in formulas] if formulas else _crystals()
    settings = CandidateSettings(limit=limit, least_gap_eV=least_gap_eV, allow_charge_imbalance=imbalance)
    candidates = propose_compositions(parents, settings=settings, seed=seed)
    shown = ("formula", "parent", "description", "charge_imbalance_e", "compensation", "reasons")
    emit([_row(each) for each in candidates if refused or each.accepted], as_json=as_json, columns=shown)


def _crystals() -> "list[Parent]":
    from vitrion.database import connect  # noqa: PLC0415

    with connect(readonly=True) as db:
        parents = _parents(db)
    if not parents:
        raise InputError(
            "the database holds no ordered crystal: run `vitrion ingest dataset quickstart-compounds` to add some"
        )
    return parents


def _parents(db: "Database") -> "list[Parent]":
    from vitrion_workflows.candidates import Parent  # noqa: PLC0415

    rows = db.structures.search(kind="crystal", accepted=True, disordered=False, elements_all="Li")
    return [
        Parent(formula=row.reduced_formula, fingerprint=row.fingerprint, band_gap_eV=row.band_gap_eV) for row in rows
    ]


def _row(candidate: "CandidateComposition") -> dict[str, Any]:
    return {
        "formula": candidate.formula,
        "parent": candidate.parent.formula,
        "parent_fingerprint": candidate.parent.fingerprint,
        "change": candidate.change.value,
        "description": candidate.description,
        "charge_imbalance_e": candidate.charge_imbalance_e,
        "compensation": candidate.compensation,
        "oxidation_states": dict(candidate.oxidation_states),
        "similarity": candidate.similarity,
        "band_gap_eV": candidate.band_gap_eV,
        "accepted": candidate.accepted,
        "reasons": list(candidate.reasons),
    }
