"""Prices of transfers by the rules of docs/corridors.md, in another language over another library (fractions).

Reads one JSON array a line: side, amount, exponents of source and target, legs (rate, whether it is quoted against the way it
is gone), margin in basis points, fees (flat, basis points). Writes one line each: principal, debit, credit, margin, and what was
rounded away (cut at 18 digits), or why there is no price. Nothing of the product is used.
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


def fee_of(base, flat, bps):
    return flat + ceiling(Fraction(base * bps, 10_000))


def price(side, amount, exponents, legs, margin, fees):
    mid = Fraction(10) ** (exponents[1] - exponents[0])
    for text, is_against in legs:
        mid = mid / Fraction(text) if is_against else mid * Fraction(text)
    rate = mid * Fraction(10_000 - margin, 10_000)
    amount = int(amount)
    fees = [(int(flat), bps) for flat, bps in fees]
    if side == "SOURCE":
        principal = amount - sum(fee_of(amount, *fee) for fee in fees)
        exact = principal * rate
        credit = exact.numerator // exact.denominator
        debit, rounded = amount, credit
    else:
        credit = amount
        exact = credit / rate
        principal = ceiling(exact)
        debit, rounded = principal + sum(fee_of(principal, *fee) for fee in fees), principal
    if principal <= 0 or credit <= 0:
        return ["TOO_LOW"]
    if debit > LARGEST or credit > LARGEST:
        return ["TOO_HIGH"]
    return [str(principal), str(debit), str(credit), str(principal - ceiling(credit / mid)), shown(exact - rounded)]


for line in sys.stdin:
    print(json.dumps(price(*json.loads(line)), separators=(",", ":")))
