"""Reads records across versions of their schema, as a consumer in Python does: every version is written, and read by every other.

In: {"records": [{"name", "versions": [{"version", "schema"}]}], "each": N}. Out: what was read, and what went wrong.
"""
import io
import json
import random
import sys

import fastavro

asked = json.load(sys.stdin)
random.seed(20261130)
done, faults = {}, []


TEXT = ["", "GBP", "Zoë", "0123456789abcdef", "x" * 70]
PLAIN = {
    "null": lambda: None,
    "boolean": lambda: random.random() < 0.5,
    "int": lambda: random.randint(-(2**31), 2**31 - 1),
    "long": lambda: random.randint(-(2**63), 2**63 - 1),
    "double": lambda: random.uniform(-1e9, 1e9),
    "string": lambda: random.choice(TEXT),
    "bytes": lambda: random.randbytes(random.randint(0, 40)),
}


def value_of(schema, named):
    """A value of this schema; lists and maps are short, since they stand within each other."""
    if isinstance(schema, list):
        return value_of(random.choice(schema), named)
    if isinstance(schema, str):
        return value_of(named[schema], named) if schema in named else PLAIN[schema]()
    kind = schema["type"]
    if kind in ("record", "enum", "fixed"):
        named[f"{schema.get('namespace', 'corridor')}.{schema['name']}"] = schema
    if kind == "record":
        values = {field["name"]: value_of(field["type"], named) for field in schema["fields"]}
        return {"-type": f"corridor.{schema['name']}", **values}
    if kind == "enum":
        return random.choice(schema["symbols"])
    if kind == "array":
        return [value_of(schema["items"], named) for _ in range(random.randint(0, 2))]
    if kind == "map":
        return {f"k{at}": value_of(schema["values"], named) for at in range(random.randint(0, 2))}
    if kind == "fixed":
        return random.randbytes(schema["size"])
    if str(schema.get("logicalType", "")).startswith("timestamp"):
        return random.randint(0, 4_000_000_000_000)
    return value_of(kind, named)


def declare(schema, named):
    """Every named type, also those behind a branch that chance does not take."""
    for each in schema if isinstance(schema, list) else [schema]:
        if not isinstance(each, dict):
            continue
        if "name" in each:
            named[f"{each.get('namespace', 'corridor')}.{each['name']}"] = each
        for inner in [each.get("items"), each.get("values"), *(field["type"] for field in each.get("fields", []))]:
            if inner is not None:
                declare(inner, named)
        if isinstance(each["type"], (dict, list)):
            declare(each["type"], named)
    return named


def field_names(schema):
    return {field["name"] for field in schema["fields"]}


def across(name, writer, reader):
    """Writes N records by one version and reads them by another; tells how many were read."""
    write, read = (fastavro.parse_schema(each["schema"], named_schemas={}) for each in (writer, reader))
    old, new = field_names(writer["schema"]), field_names(reader["schema"])
    defaults = {field["name"]: field.get("default") for field in reader["schema"]["fields"]}
    count = 0
    named = declare(writer["schema"], {})
    for _ in range(asked["each"]):
        given = value_of(writer["schema"], named)
        out = io.BytesIO()
        fastavro.schemaless_writer(out, write, given)
        # What was written, as its own version reads it: a union of numbers may read as another one.
        out.seek(0)
        said = fastavro.schemaless_reader(out, write)
        out.seek(0)
        got = fastavro.schemaless_reader(out, write, read)
        count += 1
        flat = [field for field in old & new if not isinstance(said[field], (dict, list))]
        changed = [field for field in flat if said[field] != got[field]]
        missing = [field for field in new - old if got[field] != defaults[field]]
        if set(got) != new or changed or missing:
            faults.append(f"{name}: written by {writer['version']}, read by {reader['version']}: {changed + missing}")
    return count


for record in asked["records"]:
    for writer in record["versions"]:
        for reader in record["versions"]:
            pair = f"{writer['version']}>{reader['version']}"
            try:
                done.setdefault(record["name"], {})[pair] = across(record["name"], writer, reader)
            except Exception as error:  # noqa: BLE001 - whatever another reader meets is a finding
                faults.append(f"{record['name']}: {pair}: {type(error).__name__}: {error}"[:500])
print(json.dumps({"done": done, "faults": faults}))
