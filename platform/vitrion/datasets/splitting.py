"""Grouped splits of a data set; made once and stored with it."""

import hashlib
from collections import Counter
from collections.abc import Mapping


def grouped_parts(groups: Mapping[str, str], *, parts: Mapping[str, float], seed: int) -> dict[str, str]:
    """Assign every record to a part so that no group is in two parts.

    Groups are taken in a random order drawn from their names and the seed; each goes to the part that lacks most of its
    share, so that the parts come as near to their shares of the records as whole groups allow.

    Args:
        groups: record name -> group (chemical system, formula).
        parts: part -> share of the records; the shares add up to one.
        seed: another seed gives another split.

    Returns:
        Record name -> part.
    """
    sizes = Counter(groups.values())
    order = sorted(sizes, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).hexdigest())
    filled = dict.fromkeys(parts, 0)
    chosen: dict[str, str] = {}
    for group in order:
        # The part that lacks most of its share; the first of equals.
        part = max(parts, key=lambda name: parts[name] * len(groups) - filled[name])
        chosen[group] = part
        filled[part] += sizes[group]
    return {record: chosen[group] for record, group in groups.items()}
