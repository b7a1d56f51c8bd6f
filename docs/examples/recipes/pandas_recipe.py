"""Revenue by corridor with pandas, from exported files or straight from Kafka:

    python pandas_recipe.py files FOLDER
    python pandas_recipe.py kafka BROKERS REGISTRY [ROWS]

With ROWS it waits until so many rows were read. Prints JSON: for each corridor and currency its completed transfers and the revenue in minor units.
"""

import sys
from pathlib import Path

import pandas as pd

COLUMNS = ["eventId", "transferId", "sequence", "eventKind", "state", "corridorId", "sourceCurrency", "feesMinor", "marginMinor"]


def from_files(folder):
    # File by file: a file that was written before a field came lacks its column, and pandas leaves it empty.
    files = sorted(Path(folder, "transfer.lifecycle").rglob("*.parquet"))
    # dtype_backend: whole numbers stay whole where some are missing. Plain pandas would make floats of amounts.
    frames = [pd.read_parquet(file, dtype_backend="pyarrow", partitioning=None) for file in files]
    return pd.concat(frames, ignore_index=True).reindex(columns=COLUMNS)


def from_kafka(brokers, registry, follow=None):
    from kafka_rows import LIFECYCLE, rows

    read = pd.DataFrame.from_records(rows(brokers, registry, "transfer.lifecycle", LIFECYCLE, follow and int(follow)), columns=COLUMNS)
    return read.astype({"feesMinor": "Int64", "marginMinor": "Int64"})


def latest(events):
    """One row a transfer: the highest sequence, and of two the mark."""
    ordered = events.assign(isMark=events["eventKind"] == "MARK").sort_values(["transferId", "sequence", "isMark"])
    return ordered.drop_duplicates("transferId", keep="last")


def revenue(events):
    events = events.drop_duplicates("eventId")
    completed = events[events["state"] == "COMPLETED"]
    sums = completed.assign(revenueMinor=completed["feesMinor"] + completed["marginMinor"])
    grouped = sums.groupby(["corridorId", "sourceCurrency"], as_index=False, dropna=False)
    return grouped.agg(completed=("transferId", "size"), revenueMinor=("revenueMinor", "sum"))


if __name__ == "__main__":
    source, *args = sys.argv[1:]
    events = from_files(*args) if source == "files" else from_kafka(*args)
    print(latest(events)["state"].value_counts().to_string(), file=sys.stderr)
    answer = revenue(events).sort_values(["corridorId", "sourceCurrency"])
    print(answer.to_json(orient="records"))
