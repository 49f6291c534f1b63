"""Units of published diffusivities, conductivities and temperatures, in any of their spellings."""

import re
from collections.abc import Iterable, Mapping

# Factors to cm2/s, S/cm and S K/cm.
DIFFUSIVITY_UNITS = {
    "cm2/s": 1.0,
    "m2/s": 1e4,
    "mm2/s": 1e-2,
    "um2/s": 1e-8,
    "nm2/ps": 1e-2,
    "nm2/ns": 1e-5,
    "A2/fs": 1e-1,
    "A2/ps": 1e-4,
    "A2/ns": 1e-7,
}
CONDUCTIVITY_UNITS = {"S/cm": 1.0, "S/m": 1e-2, "mS/cm": 1e-3, "mS/m": 1e-5, "uS/cm": 1e-6}
PRODUCT_UNITS = {"S K/cm": 1.0, "S K/m": 1e-2, "mS K/cm": 1e-3}
# Other names of a unit, as powers of those above.
SYNONYMS: Mapping[str, Mapping[str, int]] = {
    "°C": {"C": 1},
    "degC": {"C": 1},
    "Celsius": {"C": 1},
    "Kelvin": {"K": 1},
    "kelvin": {"K": 1},
    "Ang": {"A": 1},
    "Angstrom": {"A": 1},
    "SK": {"S": 1, "K": 1},
    "ohm": {"S": -1},
    "Ω": {"S": -1},
}
# Possessive: a word of letters is one symbol, and no search tries to split it.
FACTOR = re.compile(r" ?(?:(/) ?)?([A-Za-z°Ω]++)(-?\d{1,2}+)?")
PRODUCT = re.compile(rf"(?:{FACTOR.pattern})++")
POWER_SIGNS = re.compile(r"\*\*|[\^{}]")
PRODUCT_SIGNS = re.compile(r"[·⋅∙.*×]")


def match_unit(text: str, units: Iterable[str]) -> str | None:
    """Return the unit among `units` that a text means, such as ``S/cm`` for ``S cm^-1``; None for another.

    Args:
        text: in the compatibility form of Unicode (NFKC). Capital letters matter: mS is not MS.
        units: spellings of this module.
    """
    powers = _powers(text)
    return next((unit for unit in units if powers and _powers(unit) == powers), None)


def _powers(text: str) -> dict[str, int]:
    """Return symbol -> power of a product of units; a slash divides by the one factor after it; empty for no unit."""
    plain = POWER_SIGNS.sub("", text).replace("Å", "A").replace("μ", "u")
    plain = " ".join(PRODUCT_SIGNS.sub(" ", plain).split()).removeprefix("1").strip()
    if not PRODUCT.fullmatch(plain):
        return {}
    powers: dict[str, int] = {}
    for over, symbol, exponent in FACTOR.findall(plain):
        power = int(exponent or 1) * (-1 if over else 1)
        for base, base_power in SYNONYMS.get(symbol, {symbol: 1}).items():
            powers[base] = powers.get(base, 0) + base_power * power
    return powers
