"""Chemical formulas that people type: one grammar, without any library, so that a slip is refused at once."""

import re

from vitrion_models.errors import InputError

_TABLE = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc
Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi
Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""
ELEMENTS = tuple(_TABLE.split())  # in order of atomic number
SYMBOLS = frozenset((*ELEMENTS, "D", "T"))

# Amounts of one element in a formula: a share of a disordered crystal, up to the atoms of the largest cells.
SMALLEST_AMOUNT, LARGEST_AMOUNT = 1e-6, 1e7
LONGEST_FORMULA, LONGEST_SHOWN = 400, 60
DEEPEST_NESTING = 8

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_SYMBOL = re.compile("[A-Z][a-z]?")
_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")


def element_amounts(formula: str) -> dict[str, float]:
    """Return the amount of each element of a formula such as ``Li3PS4``, ``Li0.5CoO2`` or ``Li5 (PS4)2``.

    Args:
        formula: symbols and groups in brackets, each with an amount in plain decimals or none.

    Returns:
        Element symbol -> amount, in the order of the formula.

    Raises:
        InputError: a symbol that is not an element, an amount of zero or one out of range, an exponent, a sign or any
            other character, brackets that do not match.
    """
    if len(formula) > LONGEST_FORMULA:
        raise _fault(formula, f"{len(formula)} characters")
    amounts, _ = _group(formula, 0, closing="", depth=0)
    for symbol, amount in amounts.items():
        if not SMALLEST_AMOUNT <= amount <= LARGEST_AMOUNT:
            raise _fault(formula, f"an amount of {amount:g}, of {symbol}")
    return amounts


def _group(formula: str, place: int, *, closing: str, depth: int) -> tuple[dict[str, float], int]:
    """Return the amounts of a group that begins at a place, and the place of the bracket or end that closes it."""
    amounts: dict[str, float] = {}
    while (character := formula[place : place + 1]) != closing:
        if character == " ":
            place += 1
            continue
        if character in _CLOSING:
            if depth == DEEPEST_NESTING:
                raise _fault(formula, "too many nested brackets")
            part, place = _group(formula, place + 1, closing=_CLOSING[character], depth=depth + 1)
            place += 1
        else:
            part, place = _element(formula, place)
        times, place = _amount(formula, place)
        for symbol, amount in part.items():
            amounts[symbol] = amounts.get(symbol, 0.0) + amount * times
    if not amounts:
        raise _fault(formula, "no element in it" if depth == 0 else "empty brackets")
    return amounts, place


def _element(formula: str, place: int) -> tuple[dict[str, float], int]:
    symbol = _SYMBOL.match(formula, place)
    if symbol is None:
        raise _fault(formula, f"unexpected {formula[place]!r}" if place < len(formula) else "a bracket is not closed")
    if symbol[0] not in SYMBOLS:
        raise _fault(formula, f"{symbol[0]} is not an element")
    return {symbol[0]: 1.0}, symbol.end()


def _amount(formula: str, place: int) -> tuple[float, int]:
    """Return the number at a place, 1 where there is none, and the place behind it."""
    digits = _AMOUNT.match(formula, place)
    if digits is None:
        return 1.0, place
    if not float(digits[0]):
        raise _fault(formula, f"an amount of {digits[0]}")
    return float(digits[0]), digits.end()


def _fault(formula: str, reason: str) -> InputError:
    shown = formula if len(formula) <= LONGEST_SHOWN else f"{formula[:LONGEST_SHOWN]}..."
    return InputError(f"{shown!r} is not a chemical formula ({reason}): give elements and amounts, for example Li3PS4")
