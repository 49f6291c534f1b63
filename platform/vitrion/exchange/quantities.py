"""Headers of tables that declare a quantity with its unit, such as ``log10 D (m2/s)`` or ``sigma T (S K/cm)``."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from vitrion_models.errors import InputError
from vitrion_workflows.labelling.statement import IONIC_CONDUCTIVITY, TRACER_DIFFUSIVITY

V = TypeVar("V")

CELSIUS_ZERO_K = 273.15
HEADER = re.compile(r"(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")
LOGARITHM = re.compile(r"log_?10\s*[\s_(]\s*(?P<name>.+?)\)?")
# Factors to cm2/s, S/cm and S K/cm.
DIFFUSIVITY_UNITS = {"cm2/s": 1.0, "m2/s": 1e4, "mm2/s": 1e-2, "A2/ps": 1e-4}
CONDUCTIVITY_UNITS = {"S/cm": 1.0, "S/m": 1e-2, "mS/cm": 1e-3}
PRODUCT_UNITS = {"S K/cm": 1.0, "S K/m": 1e-2}
TEMPERATURE_UNITS: dict[str, Callable[[float], float]] = {
    "K": lambda number: number,
    "C": lambda number: number + CELSIUS_ZERO_K,
}
INVERSE_TEMPERATURE_UNITS: dict[str, Callable[[float], float]] = {"1/K": lambda number: 1000.0 / number}
SIGNS = {"²": "2", "^": "", "⁻": "-", "¹": "1", "−": "-", "Å": "A", "·": " ", "⋅": " ", "°": "deg"}
# Other spellings, after `_plain_unit`; capital letters matter: mS is no MS.
SPELLINGS = {
    "/K": "1/K",
    "degC": "C",
    "Celsius": "C",
    "Kelvin": "K",
    "SK/cm": "S K/cm",
    "SK/m": "S K/m",
    "S/cm K": "S K/cm",
    "S/m K": "S K/m",
    "S*K/cm": "S K/cm",
    "S*K/m": "S K/m",
}
TEMPERATURE, INVERSE_TEMPERATURE, PRODUCT = "temperature", "inverse temperature", "conductivity times temperature"
NAMES = {
    "t": TEMPERATURE,
    "temperature": TEMPERATURE,
    "1000/t": INVERSE_TEMPERATURE,
    "d": TRACER_DIFFUSIVITY,
    "diffusivity": TRACER_DIFFUSIVITY,
    "tracer diffusivity": TRACER_DIFFUSIVITY,
    "diffusion coefficient": TRACER_DIFFUSIVITY,
    "sigma": IONIC_CONDUCTIVITY,
    "conductivity": IONIC_CONDUCTIVITY,
    "ionic conductivity": IONIC_CONDUCTIVITY,
    "sigma t": PRODUCT,
    "sigmat": PRODUCT,
    "sigma*t": PRODUCT,
    "conductivity t": PRODUCT,
}
UNITS = {TRACER_DIFFUSIVITY: DIFFUSIVITY_UNITS, IONIC_CONDUCTIVITY: CONDUCTIVITY_UNITS, PRODUCT: PRODUCT_UNITS}
EXAMPLES = "T (K), D (cm2/s), log10 D (m2/s), sigma (S/cm), log10 sigma (S/cm), log10 sigma T (S K/cm)"


@dataclass(frozen=True)
class Temperature:
    """A declared column of temperatures.

    Attributes:
        to_kelvin: converts a number of the column to K.
    """

    to_kelvin: Callable[[float], float]


@dataclass(frozen=True)
class Quantity:
    """A declared column of diffusivities or conductivities.

    Attributes:
        property_name: ``tracer_diffusivity`` or ``ionic_conductivity``.
        unit: as declared, in the spelling of this module.
        factor: from that unit to the stored one.
        logarithm: numbers are log10 of the quantity.
        times_temperature: numbers are the quantity times the temperature in K.
    """

    property_name: str
    unit: str
    factor: float
    logarithm: bool = False
    times_temperature: bool = False

    def published(self, number: float) -> float:
        """Return the quantity in the declared unit: ``10**number`` where the column holds logarithms.

        Raises:
            OverflowError: the logarithm is out of range.
        """
        return 10.0**number if self.logarithm else number

    def conversion_factor(self, temperature_K: float) -> float:
        """Return the factor from the quantity in the declared unit to the property in its stored unit."""
        return self.factor / temperature_K if self.times_temperature else self.factor

    @property
    def conversion(self) -> str | None:
        """The conversion in words; None where the number is stored as published."""
        steps = [
            "the source gives its log10" if self.logarithm else "",
            "the source gives it times the temperature in K" if self.times_temperature else "",
            f"the source is in {self.unit}" if self.factor != 1 and not self.times_temperature else "",
        ]
        return "; ".join(filter(None, steps)) or None


def parse_header(header: str) -> Temperature | Quantity | None:
    """Return the quantity that a header declares; None for a header that names none.

    Names are not case-sensitive, units are; they stand in round or square brackets.

    Raises:
        InputError: a known quantity without its unit, with one that it cannot have, or a logarithm of unknown base.
    """
    declaration = HEADER.fullmatch(header.strip())
    name = (declaration["name"] if declaration else header).strip()
    kind, logarithm = _kind(name)
    if kind is None:
        return None
    if declaration is None:
        raise InputError(f"column {header!r} does not declare its unit: name it such as {EXAMPLES}")
    if logarithm and kind in {TEMPERATURE, INVERSE_TEMPERATURE}:
        raise InputError(f"column {header!r} is the logarithm of a temperature: give the temperature")
    if kind == TEMPERATURE:
        return Temperature(_of_unit(TEMPERATURE_UNITS, declaration["unit"], header))
    if kind == INVERSE_TEMPERATURE:
        return Temperature(_of_unit(INVERSE_TEMPERATURE_UNITS, declaration["unit"], header))
    unit = _unit(declaration["unit"], UNITS[kind])
    factor = _of_unit(UNITS[kind], declaration["unit"], header)
    if kind == PRODUCT:
        return Quantity(IONIC_CONDUCTIVITY, unit, factor, logarithm=logarithm, times_temperature=True)
    return Quantity(kind, unit, factor, logarithm=logarithm)


def quantity_of(property_name: str, unit: str) -> Quantity | None:
    """Return the quantity of a property in a unit; None if it does not have that unit."""
    units = UNITS.get(property_name, {})
    name = _unit(unit, units)
    return Quantity(property_name, name, units[name]) if name in units else None


def _kind(name: str) -> tuple[str | None, bool]:
    plain = name.lower().replace("σ", "sigma").replace("_", " ").replace("·", "*")
    if plain in NAMES:
        return NAMES[plain], False
    logarithm = LOGARITHM.fullmatch(plain)
    if logarithm and logarithm["name"].strip() in NAMES:
        return NAMES[logarithm["name"].strip()], True
    for prefix in ("log", "lg", "ln"):
        rest = plain.removeprefix(prefix).strip(" ()")
        if plain.startswith(prefix) and rest in NAMES:
            raise InputError(f"column {name!r}: the base of its logarithm is not declared: give log10")
    return None, False


def _plain_unit(text: str) -> str:
    """Return a unit without superscripts, with one space between factors and ``/`` for the power of -1."""
    plain = text
    for sign, letters in SIGNS.items():
        plain = plain.replace(sign, letters)
    inverse = re.sub(r"\s*\b(cm|m|s|ps|K)-1\b", r"/\1", plain)
    return " ".join(inverse.split()).replace(" /", "/").replace("/ ", "/")


def _unit(text: str, units: Iterable[str]) -> str:
    plain = _plain_unit(text)
    return plain if plain in units else SPELLINGS.get(plain, plain)


def _of_unit(units: Mapping[str, V], text: str, header: str) -> V:
    try:
        return units[_unit(text, units)]
    except KeyError:
        raise InputError(f"column {header!r}: unit {text!r} is unknown: give one of {', '.join(units)}") from None
