"""Documents, decisions and people: the database, the learning loop, the reports and the `vitrion` command."""

from importlib.metadata import version

__version__ = version("vitrion")
