"""Labels with what each must have and no more: for tests of what becomes of numbers, not of whether they are right."""

from vitrion_workflows.schemas import GateOutcome, LabelOutcome, LabelProtocol, LabelState, MethodRecord

WEIGHTS = {"nep89": "a" * 64, "chgnet": "b" * 64, "diep": "b" * 64, "wells": "a" * 64}
METHOD = MethodRecord(
    engine="vitrion-batched",
    potential="nep89",
    potential_version="1",
    weights_sha256="a" * 64,
    time_step_fs=2.0,
    frame_interval_ps=0.02,
    thermostat="nose-hoover",
    seed=1,
    code_version="0",
)


def plain_label(fingerprint, *, potential="nep89", weights=None, seed=1, **changes):
    """An accepted label of lithium at 1000 K.

    Args:
        fingerprint: of its cell.
        potential: who computed it.
        weights: sha256 of the potential's weights, where they are not the usual ones.
        seed: of the run.
        changes: any fields of the label.
    """
    method = {"potential": potential, "weights_sha256": weights or WEIGHTS[potential], "seed": seed}
    given = {
        "structure_fingerprint": fingerprint,
        "species": "Li",
        "temperature_K": 1000.0,
        "state": "accepted",
        "value": 1e-5,
        "log10_stderr": 0.1,
        "production_ps": 12.0,
        "gates": (GateOutcome(name="density", passed=True),),
        "protocol": LabelProtocol(),
        "method": METHOD.model_copy(update=method),
    } | changes
    if given["state"] == LabelState.ACCEPTED and given["value"]:
        given = _intervals(given["value"], given["log10_stderr"] or 0.1) | given
    return LabelOutcome(**given)


def _intervals(value, log10_stderr):
    return {
        name: (value * 10 ** (-deviations * log10_stderr), value * 10 ** (deviations * log10_stderr))
        for name, deviations in (("interval_68", 1.0), ("interval_95", 1.96))
    }
