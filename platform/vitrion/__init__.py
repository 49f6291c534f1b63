"""Documents, decisions and people: the database, the learning loop, the reports and the `vitrion` command."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitrion.database import connect

    __version__: str

__all__ = ["__version__", "connect"]


def __getattr__(name: str) -> Any:
    # pymatgen and mongoengine take over half a second: `import vitrion` alone must not pay for them.
    if name == "connect":
        from vitrion.database import connect  # noqa: PLC0415

        return connect
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("vitrion")
    raise AttributeError(f"module 'vitrion' has no attribute {name!r}")
