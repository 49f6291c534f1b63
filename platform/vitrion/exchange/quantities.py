"""Headers of tables that declare a quantity with its unit, such as ``log10 D (m2/s)`` or ``T / K``."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pymatgen.core.periodic_table import Element

from vitrion.exchange.units import CONDUCTIVITY_UNITS, DIFFUSIVITY_UNITS, PRODUCT_UNITS, match_unit
from vitrion_models.errors import InputError
from vitrion_workflows.labelling.statement import IONIC_CONDUCTIVITY, TRACER_DIFFUSIVITY

CELSIUS_ZERO_K = 273.15
TEMPERATURE, INVERSE_TEMPERATURE, PRODUCT = "temperature", "inverse temperature", "conductivity times temperature"
# Symbols are case-sensitive (d is a distance, t a time); words are not.
NAMES = {
    "T": TEMPERATURE,
    "temp": TEMPERATURE,
    "temperature": TEMPERATURE,
    "1000/T": INVERSE_TEMPERATURE,
    "10^3/T": INVERSE_TEMPERATURE,
    "103/T": INVERSE_TEMPERATURE,  # its superscript made plain
    "D": TRACER_DIFFUSIVITY,
    "diffusivity": TRACER_DIFFUSIVITY,
    "tracer diffusivity": TRACER_DIFFUSIVITY,
    "self diffusivity": TRACER_DIFFUSIVITY,
    "diffusion coefficient": TRACER_DIFFUSIVITY,
    "tracer diffusion coefficient": TRACER_DIFFUSIVITY,
    "self diffusion coefficient": TRACER_DIFFUSIVITY,
    "sigma": IONIC_CONDUCTIVITY,
    "conductivity": IONIC_CONDUCTIVITY,
    "ionic conductivity": IONIC_CONDUCTIVITY,
    "sigma T": PRODUCT,
    "sigmaT": PRODUCT,
    "conductivity T": PRODUCT,
}
TEMPERATURE_UNITS: dict[str, Callable[[float], float]] = {
    "K": lambda number: number,
    "C": lambda number: number + CELSIUS_ZERO_K,
}
INVERSE_TEMPERATURE_UNITS: dict[str, Callable[[float], float]] = {"1/K": lambda number: 1000.0 / number}
KELVIN_BY = {TEMPERATURE: TEMPERATURE_UNITS, INVERSE_TEMPERATURE: INVERSE_TEMPERATURE_UNITS}
FACTORS = {TRACER_DIFFUSIVITY: DIFFUSIVITY_UNITS, IONIC_CONDUCTIVITY: CONDUCTIVITY_UNITS, PRODUCT: PRODUCT_UNITS}
BASES = {"log10": 10.0, "lg": 10.0, "ln": math.e}
EXAMPLES = "T (K), T / K, D (cm2/s), log10 D (m2/s), sigma (S/cm), log10 sigma (S/cm), log10 sigma T (S K/cm)"

LOGARITHM = re.compile(r"(?i:(log[\s_]?10|log|lg|ln))((?![A-Za-z]).+|D\b.*|sigma.*)")
BRACKETED = re.compile(r"(.+?)\s*/?\s*[(\[]([^()\[\]]+)[)\]]")
OF_SPECIES = re.compile(r"(D\*?|sigma)\s*(?:[\s_]\{?|\()([A-Z][a-z]?)\^?\+?[})]?")
CLOSING = {"(": ")", "[": "]"}


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
        unit: as declared, in the spelling of `vitrion.exchange.units`.
        factor: from that unit to the stored one.
        logarithm: base of which the numbers are the logarithm; None where they are the quantity itself.
        times_temperature: numbers are the quantity times the temperature in K.
        species: mobile species that the header names; None for none.
    """

    property_name: str
    unit: str
    factor: float
    logarithm: float | None = None
    times_temperature: bool = False
    species: str | None = None

    def published(self, number: float) -> float:
        """Return the quantity in the declared unit: ``10**number`` where the column holds logarithms of base 10.

        Raises:
            OverflowError: the logarithm is out of range.
        """
        return number if self.logarithm is None else self.logarithm**number

    def conversion_factor(self, temperature_K: float) -> float:
        """Return the factor from the quantity in the declared unit to the property in its stored unit."""
        return self.factor / temperature_K if self.times_temperature else self.factor

    @property
    def conversion(self) -> str | None:
        """The conversion in words; None where the number is stored as published."""
        steps = [
            f"the source gives its {'natural logarithm' if self.logarithm == math.e else 'log10'}"
            if self.logarithm
            else "",
            "the source gives it times the temperature in K" if self.times_temperature else "",
            f"the source is in {self.unit}" if self.factor != 1 else "",
        ]
        return "; ".join(filter(None, steps)) or None


@dataclass(frozen=True)
class Declaration:
    """A header taken apart: what it names, the base of its logarithm, its unit as written, the species it names."""

    kind: str
    logarithm: str | None
    unit: str | None
    species: str | None


def holds_temperature(header: str) -> bool | None:
    """Return True for a header that names a temperature, False for one that names a quantity, None for all others."""
    declaration = _declaration(header)
    return None if declaration is None else declaration.kind in KELVIN_BY


def parse_header(header: str) -> Temperature | Quantity | None:
    """Return the quantity that a header declares; None for a header that names none.

    Its unit stands in brackets or after a slash. Symbols and units are case-sensitive, words are not.

    Raises:
        InputError: a known quantity without its unit, with one that it cannot have, or a logarithm of unknown base.
    """
    declaration = _declaration(header)
    if declaration is None:
        return None
    if declaration.unit is None:
        raise InputError(f"column {header!r} does not declare its unit: name it such as {EXAMPLES}; or state --column")
    kind, logarithm = declaration.kind, declaration.logarithm
    units = KELVIN_BY.get(kind) or FACTORS[kind]
    unit = match_unit(declaration.unit, units)
    if unit is None:
        raise InputError(f"column {header!r}: unit {declaration.unit!r} is unknown: give one of {', '.join(units)}")
    if kind in KELVIN_BY:
        if logarithm:
            raise InputError(f"column {header!r} is the logarithm of a temperature: give the temperature")
        return Temperature(KELVIN_BY[kind][unit])
    if logarithm and logarithm not in BASES:
        raise InputError(f"column {header!r}: the base of its logarithm is not declared: give log10 or ln")
    return Quantity(
        property_name=IONIC_CONDUCTIVITY if kind == PRODUCT else kind,
        unit=unit,
        factor=FACTORS[kind][unit],
        logarithm=BASES[logarithm] if logarithm else None,
        times_temperature=kind == PRODUCT,
        species=declaration.species,
    )


def quantity_of(property_name: str, unit: str) -> Quantity | None:
    """Return the quantity of a property in a unit; None if it does not have that unit."""
    units = FACTORS.get(property_name, {})
    name = match_unit(_plain(unit), units)
    return Quantity(property_name, name, units[name]) if name else None


def _plain(text: str) -> str:
    """Return a text without superscripts, typographic forms of letters, and kinds of dashes and spaces."""
    plain = unicodedata.normalize("NFKC", text).translate({0x2212: "-", 0x2013: "-", 0x2010: "-", 0x2126: "Ω"})
    return " ".join(plain.replace("σ", "sigma").split())


def _declaration(header: str) -> Declaration | None:
    text, logarithm = _plain(header), None
    if match := LOGARITHM.fullmatch(text):
        logarithm, text = re.sub(r"[\s_]", "", match[1]).lower(), _opened(match[2].strip(" _"))
    for name, unit in _readings(text):
        kind, species = _kind(name)
        if kind is not None:
            return Declaration(kind, logarithm, unit, species)
    return None


def _opened(text: str) -> str:
    """Return a text without the brackets about its beginning: ``D (cm2/s)`` for ``(D) (cm2/s)`` or ``(D (cm2/s))``."""
    if text[:1] not in CLOSING:
        return text
    depth = 0
    for index, sign in enumerate(text):
        depth += (sign in CLOSING) - (sign in CLOSING.values())
        if depth == 0:
            return f"{text[1:index]} {text[index + 1 :]}".strip()
    return text


def _readings(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield each reading of a text as a name and its unit, the whole text as a name first."""
    yield text, None
    if bracketed := BRACKETED.fullmatch(text):
        yield bracketed[1], bracketed[2]
    for slash in re.finditer("/", text):
        yield text[: slash.start()].strip(), text[slash.end() :].strip()


def _kind(name: str) -> tuple[str | None, str | None]:
    """Return the kind of quantity of a name, and the species that it names."""
    words = re.sub(r"[\s_·⋅*×-]+", " ", name).strip(" .")
    # Symbols end in a capital letter, words are written in any.
    if kind := NAMES.get(words) or NAMES.get(re.sub(r"[A-Za-z]{2,}", lambda word: word[0].lower(), words)):
        return kind, None
    if (match := OF_SPECIES.fullmatch(name)) and Element.is_valid_symbol(match[2]):
        return NAMES[match[1].rstrip("*")], match[2]
    return None, None
