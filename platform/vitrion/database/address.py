"""Addresses of MongoDB servers as they may be printed: without user, password and values of options."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_plus

HIDDEN = "..."
# Scheme, hosts and a database: no user, and no option that could hold a password.
_WITHOUT_SECRETS = re.compile(r"[a-z][a-z0-9+.-]*://([\w.-]+(:\d{1,5})?(,[\w.-]+(:\d{1,5})?)*)?(/[\w-]*)?", re.ASCII)
_OPTION = re.compile(r"([^?&;=/@]+)=([^&;]*)")


def shown(address: str) -> str:
    """Return an address if it holds nothing secret, else its scheme only."""
    if _WITHOUT_SECRETS.fullmatch(address):
        return address
    scheme, separator, _ = address.partition("://")
    return f"{scheme}://{HIDDEN}" if separator and scheme in {"mongodb", "mongodb+srv"} else "this address"


def redact(text: str, address: str) -> str:
    """Replace in a text (such as an error of the driver) what an address holds as user, password or option.

    The address may be malformed: the parts are found by the characters around them, not by the grammar of addresses.
    """
    return hide(text, _secret_parts(address))


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets in a text, as they are written and as a driver may repeat them."""
    parts = {spelling for part in secrets for spelling in (part, unquote_plus(part), part.lower())}
    for part in sorted(parts, key=len, reverse=True):
        if part.strip():
            text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", HIDDEN, text)
    return text


def _secret_parts(address: str) -> Iterator[str]:
    rest = address.partition("://")[2] or address
    credentials = rest.rpartition("@")[0]
    yield from (credentials, credentials.partition(":")[2], *re.split(r"[:/@?&;=]", credentials))
    for name, value in _OPTION.findall(rest):
        if not name.lower().endswith("file"):  # the path of a file is what its user must see
            yield from (value, *re.split(r"[:,@]", value))
