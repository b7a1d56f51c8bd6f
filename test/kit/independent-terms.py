"""Terms of transfers by the rules of docs/terms.md, in another language over another library of time zones (zoneinfo).

First line: the terms (as their file says them) with the holidays of each calendar. Then one JSON array a line: corridor, source
currency, charge bearer, tier, funding, instant (ms), side, amount, exponents, legs. Writes one line each: the state of the market, the
ids of the rows, what the price comes to, value date, when the money arrives. Nothing of the product is used.
"""
import importlib
import json
import os
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

sys.path.insert(0, os.path.dirname(__file__))
prices = importlib.import_module("independent-prices")
NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEIGHTS = ["corridors", "bearers", "kycTiers", "fundingMethods", "amount", "markets"]

terms = json.loads(sys.stdin.readline())
calendars = {calendar["id"]: calendar for calendar in terms["calendars"]}


def seconds(text):
    parts = [int(part) for part in text.split(":")] + [0]
    return parts[0] * 3600 + parts[1] * 60 + parts[2]


def local(ms, zone):
    return datetime.fromtimestamp(ms / 1000, timezone.utc).astimezone(ZoneInfo(zone))


def second_of(moment):
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def is_open(name, day):
    calendar = calendars[name]
    if calendar["kind"] == "every-day":
        return True
    if calendar["kind"] == "yearly":
        return NAMES[day.weekday()] not in calendar["weekend"] and day.strftime("%m-%d") not in calendar["days"]
    if calendar["kind"] == "country" and day.isoformat() in calendar["open"]:
        return True
    weekend = ["saturday", "sunday"] if calendar["kind"] == "T2" else calendar["weekend"]
    closed = calendar["holidays"] + calendar.get("closed", [])
    return NAMES[day.weekday()] not in weekend and day.isoformat() not in closed


def next_open(names, day):
    while not all(is_open(name, day) for name in names):
        day += timedelta(days=1)
    return day


def market_of(corridor, ms):
    rows = [row for row in terms["markets"] if corridor in row["where"].get("corridors", [corridor])]
    if not rows:
        return "OPEN"
    row = max(rows, key=lambda each: len(each["where"]))
    now = local(ms, row["timeZone"])
    order = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    at = order.index(NAMES[now.weekday()]) * 86400 + second_of(now)
    opens, closes = [order.index(row[end]["weekday"]) * 86400 + seconds(row[end]["time"]) for end in ("opens", "closes")]
    within = opens <= at < closes if opens < closes else at >= opens or at < closes
    if not within:
        return "CLOSED"
    return "OPEN" if all(is_open(name, now.date()) for name in row["calendars"]) else "HOLIDAY"


def meant(where, case):
    for name, value in where.items():
        if name == "amount":
            size, below = case["size"], value["belowMinor"]
            if value["currency"] != case["currency"] or size < int(value["fromMinor"]):
                return False
            if below is not None and size >= int(below):
                return False
        elif case[name] not in value:
            return False
    return True


def rank(row):
    named = [WEIGHTS.index(name) for name in row["where"]]
    return (len(named), [-place for place in sorted(named)])


def best(rows, case):
    held = [row for row in rows if meant(row["where"], case)]
    return max(held, key=rank) if held else None


def slots(rows, keys):
    found = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found.values()


def dates(row, ms):
    now = local(ms, row["timeZone"])
    day = now.date() + timedelta(days=1 if second_of(now) >= seconds(row["cutOff"]) else 0)
    day = next_open(row["calendars"], day)
    for _ in range(row["valueDays"]):
        day = next_open(row["calendars"], day + timedelta(days=1))
    rail = row["rail"]
    here = local(ms, rail["timeZone"])
    opens, closes = seconds(rail["opens"]), seconds(rail["cutOff"])
    pays = next_open(rail["calendars"], max(day, here.date()))
    if pays == here.date() and second_of(here) >= closes:
        pays = next_open(rail["calendars"], pays + timedelta(days=1))
    if pays == here.date() and second_of(here) >= opens:
        start = ms
    else:
        naive = datetime.combine(pays, datetime.min.time()) + timedelta(seconds=opens)
        start = round(naive.replace(tzinfo=ZoneInfo(rail["timeZone"])).timestamp() * 1000)
    return [day.isoformat(), start + rail["takesMs"]]


def answer(corridor, currency, bearer, tier, funding, ms, side, amount, exponents, legs):
    mid = prices.mid_of(exponents, legs)
    size = int(amount) if side == "SOURCE" else prices.ceiling(int(amount) / mid)
    market = market_of(corridor, ms)
    case = {"corridors": corridor, "bearers": bearer, "kycTiers": tier or "NONE", "fundingMethods": funding or "NONE"}
    case |= {"markets": market, "size": size, "currency": currency}
    today = datetime.fromtimestamp(ms / 1000, timezone.utc).date().isoformat()
    valid = lambda row: row["validFrom"] <= today and (row["validTo"] is None or today < row["validTo"])
    margin, lifetime = best(terms["margins"], case), best(terms["lifetimes"], case)
    own = [fee for fee in terms["fees"] if fee["currency"] == currency]
    fees = [fee for fee in (best(rows, case) for rows in slots(own, ["code"])) if fee]
    due = [tax for tax in (best(rows, case) for rows in slots(filter(valid, terms["taxes"]), ["kind", "authority"])) if tax]
    settlement = best(terms["settlements"], case)
    cancel = best(list(filter(valid, terms["cancellations"])), case)
    ids = [row["termId"] for row in [margin, lifetime, *fees, *due, settlement, cancel] if row]
    charges = [[fee["flatMinor"], fee["bps"], fee["minMinor"], fee["maxMinor"]] for fee in fees]
    taxes = [[tax["base"], tax["rateBps"], tax["rounding"]] for tax in due]
    total = prices.price(side, amount, exponents, legs, margin["marginBps"], charges, taxes)
    return [market, ids, total, dates(settlement, ms) if settlement else None]


for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line)), separators=(",", ":")))
