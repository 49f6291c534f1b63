"""SVG elements as text; all escaping happens here."""

from html import escape


def element(name: str, *children: str, words: str = "", **attributes: str | float) -> str:
    """Return one element.

    Args:
        name: for example ``circle``.
        children: finished elements inside it.
        words: text inside it, escaped.
        attributes: underscores become hyphens, a trailing one is dropped (``class_``); numbers are rounded to 0.1 unit.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items() if value != ""
    )
    return f"<{name}{written}>{escape(words)}{''.join(children)}</{name}>"


def tooltip(words: str) -> str:
    """Return a tooltip; empty for empty text."""
    return element("title", words=words) if words else ""


def _value(value: str | float) -> str:
    return escape(value, quote=True) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
