"""Labels with what each must have and no more: for tests of what becomes of numbers, not of whether they are right."""

from sound_labels import METHOD

from vitrion_workflows.schemas import LabelOutcome, LabelProtocol

WEIGHTS = {"nep89": "a" * 64, "chgnet": "b" * 64, "diep": "b" * 64, "wells": "a" * 64}


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
        "gates": (),
        "protocol": LabelProtocol(),
        "method": METHOD.model_copy(update=method),
    }
    return LabelOutcome(**(given | changes))
