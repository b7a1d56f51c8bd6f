"""Prices of transfers by the rules of docs/corridors.md and docs/terms.md, in another language over another library (fractions).

Reads one JSON array a line: side, amount, exponents of source and target, legs (rate, whether it is quoted against the way it
is gone), margin in basis points, fees (flat, basis points, least, most), taxes (base, basis points, rounding). Writes one line
each: principal, debit, credit, margin, what was rounded away (cut at 18 digits), fees and taxes in order, or why there is no
price. Nothing of the product is used.
"""
import json
import sys
from fractions import Fraction

LARGEST = 2**63 - 1
SHOWN = 10**18


def ceiling(value):
    return -((-value.numerator) // value.denominator)


def shown(value):
    digits = abs(value.numerator) * SHOWN // value.denominator
    sign = "-" if value < 0 and digits else ""
    text = f"{sign}{digits // SHOWN}.{digits % SHOWN:018d}".rstrip("0").rstrip(".")
    return text


def fee_of(base, flat, bps, least, most):
    fee = int(flat) + ceiling(Fraction(base * bps, 10_000))
    if least is not None:
        fee = max(fee, int(least))
    return fee if most is None else min(fee, int(most))


def tax_of(base, bps, rounding):
    exact = Fraction(base * bps, 10_000)
    whole = exact.numerator // exact.denominator
    if rounding == "DOWN" or exact == whole:
        return whole
    return whole + 1 if rounding == "UP" or exact - whole >= Fraction(1, 2) else whole


def largest_principal(room, taxes):
    """By halving: the largest amount that fits into the room with its taxes."""
    low, high = 0, room
    while low < high:
        middle = (low + high + 1) // 2
        if middle + sum(tax_of(middle, *tax) for tax in taxes) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def mid_of(exponents, legs):
    mid = Fraction(10) ** (exponents[1] - exponents[0])
    for text, is_against in legs:
        mid = mid / Fraction(text) if is_against else mid * Fraction(text)
    return mid


def price(side, amount, exponents, legs, margin, fees, taxes=()):
    mid = mid_of(exponents, legs)
    rate = mid * Fraction(10_000 - margin, 10_000)
    amount = int(amount)
    on_principal = [tuple(rest) for base, *rest in taxes if base == "PRINCIPAL"]
    if side == "SOURCE":
        charged = [fee_of(amount, *fee) for fee in fees]
        room = amount - sum(charged) - sum(tax_of(sum(charged), *rest) for base, *rest in taxes if base == "FEES")
        principal = largest_principal(room, on_principal) if on_principal and room > 0 else room
        exact = principal * rate
        credit = exact.numerator // exact.denominator
        rounded = credit
    else:
        credit = amount
        exact = credit / rate
        principal = rounded = ceiling(exact)
        charged = [fee_of(principal, *fee) for fee in fees]
    due = [tax_of(principal if base == "PRINCIPAL" else sum(charged), *rest) for base, *rest in taxes]
    if side == "SOURCE":
        left = amount - principal - sum(charged) - sum(due)
        charged += [left] if left else []
    debit = principal + sum(charged) + sum(due)
    if principal <= 0 or credit <= 0:
        return ["TOO_LOW"]
    if debit > LARGEST or credit > LARGEST:
        return ["TOO_HIGH"]
    earned = principal - ceiling(credit / mid)
    return [*map(str, (principal, debit, credit, earned)), shown(exact - rounded), *map(str, charged), *map(str, due)]


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(price(*json.loads(line)), separators=(",", ":")))
