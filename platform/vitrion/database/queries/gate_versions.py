"""Whose rules judged a label, and the one rule by which results take it or leave it out.

A result that somebody acts on (a best value, a ranking, a fit, a comparison, a mean) takes the labels that the rules of
here judged, and values from elsewhere, which no rules judge; labels of other rules are left out and counted unless they
are asked for: what passed without a gate was never asked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vitrion_models.errors import InputError
from vitrion_workflows.schemas.label import LABEL_RULES

if TYPE_CHECKING:
    from vitrion.database.queries.rows import LabelRow, ModelRow

HERE, OTHER, UNKNOWN, ELSEWHERE = "here", "other", "unknown", "elsewhere"
# What a query must bring for `rules_of` and `judged_here`.
STORED_FIELDS = ("rules", "dataset")

# The same as `judged_here` says of one label, for queries.
CLAUSES: dict[str, dict[str, Any]] = {
    HERE: {"$or": [{"rules": LABEL_RULES}, {"rules": None, "dataset": {"$ne": None}}]},
    OTHER: {"$or": [{"rules": {"$nin": [LABEL_RULES, None]}}, {"rules": None, "dataset": None}]},
    UNKNOWN: {"rules": None, "dataset": None},
}


def rules_of(label: "LabelRow | Mapping[str, Any]") -> str:
    """Version of the rules that judged a label, in words.

    Args:
        label: a row or a stored document.

    Returns:
        The number; ``unknown`` of a run from before it was kept; ``elsewhere`` for values that no rules judge.
    """
    content = label if isinstance(label, Mapping) else vars(label)
    rules = content.get("rules")
    if rules is not None:
        return str(rules)
    return UNKNOWN if content.get("dataset") is None else ELSEWHERE


def judged_here(label: "LabelRow | Mapping[str, Any]") -> bool:
    """Whether results take a label: the rules of here judged it, or it is a value from elsewhere."""
    return rules_of(label) in {str(LABEL_RULES), ELSEWHERE}


def gives_way(label: "LabelRow | Mapping[str, Any]") -> bool:
    """Whether a label that is made again here takes the place of one: that is of older rules."""
    return not judged_here(label) and _older(rules_of(label))


def others(labels: Iterable["LabelRow | Mapping[str, Any]"]) -> dict[str, int]:
    """How many labels results leave out, by the rules that judged them."""
    return dict(sorted(Counter(rules_of(label) for label in labels if not judged_here(label)).items()))


def learned_of_other_rules(learned: Iterable["LabelRow"], model: "ModelRow") -> int:
    """How many of the labels that a model learned other rules than those of here had judged when it did.

    Args:
        learned: as they are now.
        model: the document of the model.
    """
    return sum(not judged_here(label) or _later(label, model) for label in learned)


def _later(label: "LabelRow", model: "ModelRow") -> bool:
    # A label is written once for each version of the rules: what is newer than the model took an older one's place.
    return label.created_at is not None and model.created_at is not None and label.created_at > model.created_at


def told(left_out: Mapping[str, int], *, again: str = "") -> str:
    """How many labels of other rules there are, and what can be done: one line, empty where there is none.

    Args:
        left_out: as `others` counts them.
        again: the command by which they are made again, where there is one for all.
    """
    if not left_out:
        return ""
    count = sum(left_out.values())
    versions = ", ".join(f"{rules}: {number}" for rules, number in left_out.items())
    advice = [
        *(["label them again" + (f" by {again}" if again else "")] if any(_older(rules) for rules in left_out) else []),
        *(["upgrade Vitrion"] if not all(_older(rules) for rules in left_out) else []),
    ]
    return (
        f"{count} {'label' if count == 1 else 'labels'} judged by other rules ({versions}) than this Vitrion's "
        f"({LABEL_RULES}): {' and '.join(advice)}"
    )


def told_left_out(left_out: Mapping[str, int], *, otherwise: str, again: str = "") -> str:
    """The line beside a result from which labels of other rules were left out; empty where none was.

    Args:
        left_out: as `others` counts them.
        otherwise: how they are seen or taken all the same.
        again: as for `told`.
    """
    return f"left out: {told(left_out, again=again)}, or {otherwise}" if left_out else ""


def told_of_campaign(left_out: Mapping[str, int], name: str) -> str:
    """`told_left_out` for all labels of a campaign.

    Args:
        left_out: as `others` counts them.
        name: of the campaign.
    """
    return told_left_out(
        left_out,
        again="vitrion campaign retry FILE --other-rules, then vitrion campaign run FILE",
        otherwise=f"see them by vitrion labels list --campaign {name} --rules {OTHER}",
    )


def require_none(left_out: Mapping[str, int], *, purpose: str) -> None:
    """Refuse labels of other rules where nobody asked for them and there is nobody to tell.

    Args:
        left_out: those that a result would leave out, as `others` counts them.
        purpose: what they were wanted for, for the message.

    Raises:
        InputError: there are some; how many of which, and how they are left out or taken.
    """
    if left_out:
        raise InputError(
            f"among labels to be {purpose} are {told(left_out)}, leave them out by rules={HERE!r}, "
            "or say which by rules="
        )


def _older(rules: str) -> bool:
    return rules == UNKNOWN or int(rules) < LABEL_RULES
