"""Lines of results with the verdict of the force check."""

from aimd_checks import judged

from vitrion_workflows.force_check.check import CheckedForces
from vitrion_workflows.schemas import Measurement
from vitrion_workflows.schemas.force_check import ForceAgreement, ForceCheck, ForceCheckState

AGREEMENT = ForceAgreement(r2=0.8, slope=0.9, inverse_slope=1.0, mae_eV_per_A=0.1, components=300)
RECORD = ForceCheck(state=ForceCheckState.MADE, reference="diep", agreement=AGREEMENT)
LINE = {"formula": "Li3N", "state": "accepted", "failed_gates": [], "log10_ratio": 0.9}


def test_a_refused_label_is_no_comparison():
    refused = judged(LINE, CheckedForces(RECORD, (Measurement(name="denied_bond", passed=False, message="N 1 - N 2"),)))
    assert refused["state"] == "rejected"
    assert refused["failed_gates"] == ["force_check"]
    assert "N 1 - N 2" in refused["force_refusal"]
    assert refused["force_r2"] == 0.8


def test_a_large_error_alone_leaves_no_label_out():
    kept = judged(LINE, CheckedForces(RECORD, (Measurement(name="denied_bond", passed=True),)))
    assert kept["state"] == "accepted"
    assert "force_refusal" not in kept


def test_without_a_check_the_line_stays():
    kept = judged(LINE, CheckedForces(ForceCheck(state=ForceCheckState.NOT_MADE, reason="no reference")))
    assert kept == {**LINE, "force_reference": None}
