"""Answers the analyst's questions (docs/examples/analytics) from the raw log, by hand: from the events of the chain, not from the
rows that were made of them. Of a row of the lifecycle it takes what no event has: when the broker took it, and marks.

    recount.py BROKERS REGISTRY > {"01-volume-by-corridor": [{...}, ...], ...}
"""
import datetime
import io
import json
import math
import sys
import uuid
from collections import Counter, defaultdict
from fractions import Fraction

import fastavro
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient

brokers, registry = sys.argv[1:]
STATES = {
    "transfer.accepted": "ACCEPTED",
    "transfer.screened": "SCREENED",
    "transfer.held": "HELD",
    "transfer.priced": "PRICED",
    "transfer.reserved": "RESERVED",
    "payout.requested": "DISPATCHED",
    "transfer.requote-requested": "REQUOTING",
    "transfer.completed": "COMPLETED",
    "transfer.rejected": "REJECTED",
    "transfer.returned": "RETURNED",
}
ENDED = {"COMPLETED", "REJECTED", "RETURNED"}
client = SchemaRegistryClient({"url": registry})
schemas = {}


def plain(schema):
    """A schema without logical types: times stay milliseconds."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if key != "logicalType"}
    return schema


def decoded(value):
    schema_id = int.from_bytes(value[1:5], "big")
    if schema_id not in schemas:
        text = json.loads(client.get_schema(schema_id).schema_str)
        schemas[schema_id] = fastavro.parse_schema(plain(text), named_schemas={})
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), schemas[schema_id])


def read(topic):
    """All committed records of a topic, as (append time in ms, value)."""
    settings = {
        "bootstrap.servers": brokers,
        "group.id": "recount",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(settings)
    partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    left, found = set(partitions), []
    while left:
        message = consumer.poll(60)
        if message is None:
            raise SystemExit(f"nothing more comes of {topic}")
        if message.error() is None:
            found.append((message.timestamp()[1], decoded(message.value())))
        elif message.error().name() == "_PARTITION_EOF":
            left.discard(message.partition())
        else:
            raise SystemExit(str(message.error()))
    consumer.close()
    return found


lifecycle = read("transfer.lifecycle")
recorded_at = {row["eventId"]: at for at, row in lifecycle}
marks = [row for _, row in lifecycle if row["state"] == "DEAD_LETTERED"]
refused = [value for _, value in read("intent.rejected")]
repeated = [value for _, value in read("intent.duplicated")]

by_state = {state: [event for _, event in read(topic)] for topic, state in STATES.items()}
steps = defaultdict(dict)
for state, events in by_state.items():
    for event in events:
        steps[event["envelope"]["transferId"]][event["envelope"]["sequence"]] = (state, event)


def tally(keys):
    return sorted(Counter(keys).items(), key=repr)


def totals(items):
    """Count and sums, of (key, amounts...)."""
    found = defaultdict(lambda: [0])
    for key, *amounts in items:
        entry = found[key]
        entry[0] += 1
        entry.extend([0] * (len(amounts) + 1 - len(entry)))
        for at, amount in enumerate(amounts, 1):
            entry[at] += amount
    return found.items()


def at_rank(values, share):
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def rows(names, values):
    return [dict(zip(names.split(), each)) for each in values]


def told(event):
    return event["instruction"]["instructedAmount"]


def fees_of(event):
    return sum(fee["amount"]["minor"] for fee in event["price"]["fees"])


def day_of(event):
    at = recorded_at[event["envelope"]["eventId"]] / 1000
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%d")


def place(event):
    instruction = event["instruction"]
    return instruction["corridorId"], instruction["sourceCurrency"]


def latest_rows():
    """Of each transfer: state, stage, whether it ended, what was instructed, first reason of a dead letter."""
    marked = {}
    for mark in marks:
        if mark["sequence"] >= marked.get(mark["transferId"], {"sequence": -1})["sequence"]:
            marked[mark["transferId"]] = mark
    for transfer, events in steps.items():
        sequence = max(events)
        state, event = events[sequence]
        mark = marked.get(transfer)
        if mark and mark["sequence"] == sequence:
            yield "DEAD_LETTERED", mark["stage"], False, told(event), mark["reasonCodes"][0]
        else:
            stage = event["hold"]["stage"] if state == "HELD" else None
            yield state, stage, state in ENDED, told(event), None


done = by_state["COMPLETED"]
answers = {}
answers["01-volume-by-corridor"] = rows(
    "day corridorId sourceCurrency transfers debitMinor",
    [(*key, *sums) for key, sums in totals(((day_of(e), *place(e)), e["price"]["debit"]["minor"]) for e in done)],
)
answers["02-revenue-by-corridor"] = rows(
    "corridorId sourceCurrency feesMinor marginMinor revenueMinor",
    [
        (*key, fees, margin, fees + margin)
        for key, (_, fees, margin) in totals((place(e), fees_of(e), e["price"]["margin"]["minor"]) for e in done)
    ],
)
answers["03-funnel"] = rows(
    "state transfers",
    [(state, len({e["envelope"]["transferId"] for e in events})) for state, events in by_state.items() if events],
)
stays = defaultdict(list)
for events in steps.values():
    for sequence, (state, event) in events.items():
        if sequence - 1 in events and state != "RETURNED":
            before, earlier = events[sequence - 1]
            stays[before].append(event["envelope"]["occurredAt"] - earlier["envelope"]["occurredAt"])
answers["04-time-in-state"] = rows(
    "previousState times p50Ms p95Ms",
    [(state, len(all_), at_rank(all_, 0.5), at_rank(all_, 0.95)) for state, all_ in stays.items()],
)
whole = defaultdict(list)
for event in done:
    _, first = steps[event["envelope"]["transferId"]][1]
    took = event["envelope"]["occurredAt"] - first["envelope"]["occurredAt"]
    whole[event["instruction"]["corridorId"]].append(took)
answers["05-time-to-complete"] = rows(
    "corridorId transfers p50Ms", [(corridor, len(all_), at_rank(all_, 0.5)) for corridor, all_ in whole.items()]
)
declined = [(e["stage"], reason["code"]) for e in by_state["REJECTED"] for reason in e["reasons"]]
answers["06-rejections"] = rows("stage code transfers", [(*key, count) for key, count in tally(declined)])
why = [(r["corridorId"], r["producerId"], reason["code"]) for r in refused for reason in r["reasons"]]
answers["07-refused-intents"] = rows(
    "corridorId producerId code intents", [(*key, count) for key, count in tally(why)]
)
taken = Counter(e["instruction"]["corridorId"] for e in by_state["ACCEPTED"])
gone = Counter(r["corridorId"] for r in refused)
answers["08-rate-of-refusal"] = rows(
    "corridorId accepted refused perThousand",
    [
        (each, taken[each], gone[each], gone[each] * 1000 // (taken[each] + gone[each]))
        for each in set(taken) | set(gone)
        if each is not None
    ],
)
holds = [(e["hold"]["stage"], reason["code"]) for e in by_state["HELD"] for reason in e["hold"]["reasons"]]
answers["09-holds"] = rows("stage code holds", [(*key, count) for key, count in tally(holds)])
now = list(latest_rows())
answers["10-holds-that-last"] = rows(
    "stage instructedCurrency transfers instructedMinor",
    [
        (*key, *sums)
        for key, sums in totals(((stage, m["currency"]), m["minor"]) for state, stage, _, m, _ in now if state == "HELD")
    ],
)
answers["11-in-flight"] = rows(
    "state instructedCurrency transfers instructedMinor",
    [
        (*key, *sums)
        for key, sums in totals(((state, m["currency"]), m["minor"]) for state, _, ended, m, _ in now if not ended)
    ],
)
answers["12-dead-letters"] = rows(
    "stage code instructedCurrency transfers instructedMinor",
    [
        (*key, *sums)
        for key, sums in totals(
            ((stage, code, m["currency"]), m["minor"]) for state, stage, _, m, code in now if state == "DEAD_LETTERED"
        )
    ],
)
back = defaultdict(list)
for event in by_state["RETURNED"]:
    back[(event["instruction"]["corridorId"], event["instruction"]["targetCurrency"])].append(
        event["price"]["credit"]["minor"]
    )
paid = Counter((e["instruction"]["corridorId"], e["instruction"]["targetCurrency"]) for e in done)
answers["13-returns"] = rows(
    "corridorId targetCurrency paid returned returnedMinor",
    [(*key, paid[key], len(back[key]), sum(back[key]) if back[key] else None) for key in set(paid) | set(back)],
)
senders = defaultdict(list)
for event in repeated:
    senders[event["producerId"]].append(event["transferId"])
answers["14-duplicates"] = rows(
    "producerId repeats transfers", [(producer, len(ids), len(set(ids))) for producer, ids in senders.items()]
)
accepted = by_state["ACCEPTED"]
answers["15-producers"] = rows(
    "producerId instructedCurrency transfers instructedMinor",
    [
        (*key, *sums)
        for key, sums in totals(((e["instruction"]["producerId"], told(e)["currency"]), told(e)["minor"]) for e in accepted)
    ],
)
answers["16-fees-by-code"] = rows(
    "sourceCurrency code minor",
    [
        (*key, minor)
        for key, (_, minor) in totals(
            ((e["instruction"]["sourceCurrency"], fee["code"]), fee["amount"]["minor"])
            for e in done
            for fee in e["price"]["fees"]
        )
    ],
)
answers["17-requotes"] = rows("attempt transfers", tally(e["envelope"]["attempt"] for e in done))
screened = {
    (f"{each['source']}:{each['versionId']}", e["screening"]["outcome"], e["envelope"]["transferId"])
    for e in by_state["SCREENED"]
    for each in e["screening"]["lists"]
}
answers["18-list-versions"] = rows(
    "list screeningOutcome transfers", [(*key, n) for key, n in tally((list_, end) for list_, end, _ in screened)]
)
counted = {
    (use["ruleId"], e["envelope"]["transferId"]) for e in by_state["RESERVED"] for use in e["reservation"]["uses"]
}
answers["19-limit-rules"] = rows("rule transfers", tally(rule for rule, _ in counted))
busiest = sorted(Counter(e["instruction"]["debtorToken"] for e in accepted).items(), key=lambda each: (-each[1], each[0]))
answers["20-busiest-senders"] = rows("debtorToken transfers", busiest[:5])

REPORTING = "EUR"
EXPONENTS = {"JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3, "JOD": 3}
NAMESPACE = uuid.UUID("7d9a1d1c-0c8b-4f0e-9b5e-6b6e2f3a4c51")
MINUTE_MS, DAY_MS = 60_000, 86_400_000
# The last rate of each source on each day; then the middle one of these, and of two the lower.
last_of_source = {}
for appended_at, value in read("fx.rates"):
    if value is None:
        continue
    days = value["observedAt"] // DAY_MS
    if value["observedAt"] > appended_at + 5 * MINUTE_MS or appended_at >= (days + 2) * DAY_MS:
        continue
    said = (value[name] for name in ("source", "base", "quote", "observedAt", "rate"))
    rate_id = str(uuid.uuid5(NAMESPACE, "fx.rate\n" + "\n".join(map(str, said))))
    key = (datetime.date(1970, 1, 1) + datetime.timedelta(days=days), value["base"], value["quote"], value["source"])
    last = last_of_source.get(key)
    # Of one instant the first by rateId.
    if last is None or (value["observedAt"], last[1]) > (last[0], rate_id):
        last_of_source[key] = (value["observedAt"], rate_id, Fraction(value["rate"]))
of_sources = defaultdict(list)
for (day, base, quote, source), (_, _, rate) in last_of_source.items():
    of_sources[(day, base, quote)].append((rate, source))
closes = {key: sorted(rates)[(len(rates) - 1) // 2][0] for key, rates in of_sources.items()}


def close_of(day, base, quote):
    for back in range(8):
        found = closes.get((day - datetime.timedelta(days=back), base, quote))
        if found is not None:
            return found
    return None


def step(day, source, target):
    """Units of target for one unit of source, by the close of the pair, whichever way round it is quoted."""
    direct, inverse = close_of(day, source, target), close_of(day, target, source)
    return direct if direct is not None else 1 / inverse if inverse is not None else None


def converted(minor, currency, day):
    """In minor units of the reporting currency, rounded once, half away from zero."""
    rate = 1 if currency == REPORTING else step(day, currency, REPORTING)
    if rate is None:
        for pivot in sorted({code for _, base, quote in closes for code in (base, quote)}):
            first, second = step(day, currency, pivot), step(day, pivot, REPORTING)
            if first is not None and second is not None:
                rate = first * second
                break
    if rate is None:
        return None
    exact = minor * rate * Fraction(10) ** (EXPONENTS.get(REPORTING, 2) - EXPONENTS.get(currency, 2))
    return int(math.copysign(math.floor(abs(exact) + Fraction(1, 2)), exact))


margins = totals(((day_of(e), e["instruction"]["sourceCurrency"]), e["price"]["margin"]["minor"]) for e in done)
answers["21-margin-in-one-currency"] = rows(
    "day sourceCurrency transfers marginMinor reportingCurrency reportingMinor",
    [
        (day, currency, n, minor, REPORTING, converted(minor, currency, datetime.date.fromisoformat(day)))
        for (day, currency), (n, minor) in margins
    ],
)
opened = {
    (e["envelope"]["transferId"], e["envelope"]["attempt"]): e["price"]
    for e in by_state["PRICED"]
    if e["price"]["positioned"]
}
for state in ("REQUOTING", "REJECTED", "RETURNED"):
    for event in by_state[state]:
        if event.get("price"):
            opened.pop((event["envelope"]["transferId"], event["envelope"]["attempt"]), None)
open_in = defaultdict(int)
for event in by_state["PRICED"]:
    # What was taken back is there, with nothing left of it.
    for amount in (event["price"]["principal"], event["price"]["credit"]):
        open_in[amount["currency"]] += 0
for price in opened.values():
    open_in[price["principal"]["currency"]] += price["principal"]["minor"]
    open_in[price["credit"]["currency"]] -= price["credit"]["minor"]
last_day = datetime.datetime.fromtimestamp(max(recorded_at.values()) / 1000, datetime.timezone.utc).date()
answers["22-exposure"] = rows(
    "currency openMinor reportingCurrency reportingMinor",
    [(currency, minor, REPORTING, converted(minor, currency, last_day)) for currency, minor in open_in.items()],
)
used = {
    (e["price"]["terms"]["set"], term, e["envelope"]["transferId"])
    for e in by_state["PRICED"]
    for term in e["price"]["terms"]["termIds"]
} | {
    (e["reservation"]["limitRules"], use["ruleId"], e["envelope"]["transferId"])
    for e in by_state["RESERVED"]
    for use in e["reservation"]["uses"]
}
# Nobody put a policy in force, so what the configuration says counts all the time.
is_current = not read("policy.versions")
answers["23-terms-in-force"] = rows(
    "version id transfers isCurrent",
    [(*key, n, is_current) for key, n in tally((version, of) for version, of, _ in used)],
)
print(json.dumps(answers))
