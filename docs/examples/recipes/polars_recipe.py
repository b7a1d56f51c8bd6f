"""Revenue by corridor with Polars, from exported files or straight from Kafka:

    python polars_recipe.py files FOLDER
    python polars_recipe.py kafka BROKERS REGISTRY [ROWS]

With ROWS it waits until so many rows were read. Prints JSON: for each corridor and currency its completed transfers and the revenue in minor units.
"""

import sys
from pathlib import Path

import polars as pl

SCHEMA = {
    "eventId": pl.String,
    "transferId": pl.String,
    "sequence": pl.Int32,
    "eventKind": pl.String,
    "state": pl.String,
    "corridorId": pl.String,
    "sourceCurrency": pl.String,
    "feesMinor": pl.Int64,
    "marginMinor": pl.Int64,
}


def from_files(folder):
    # Lazily: only these columns are read. A file of before a field lacks its column, one of later has more.
    return pl.scan_parquet(
        Path(folder, "transfer.lifecycle", "**", "*.parquet"),
        schema=SCHEMA,
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
    )


def from_kafka(brokers, registry, follow=None):
    from kafka_rows import LIFECYCLE, rows

    return pl.from_dicts(list(rows(brokers, registry, "transfer.lifecycle", LIFECYCLE, follow and int(follow))), schema=SCHEMA).lazy()


def latest(events):
    """One row a transfer: the highest sequence, and of two the mark."""
    order = ["sequence", pl.col("eventKind").eq_missing("MARK")]
    return events.sort(order).group_by("transferId").last()


def revenue(events):
    completed = events.unique("eventId").filter(pl.col("state") == "COMPLETED")
    return completed.group_by("corridorId", "sourceCurrency").agg(
        pl.len().alias("completed"), (pl.col("feesMinor") + pl.col("marginMinor")).sum().alias("revenueMinor")
    )


if __name__ == "__main__":
    source, *args = sys.argv[1:]
    events = from_files(*args) if source == "files" else from_kafka(*args)
    print(latest(events).group_by("state").len().sort("state").collect(), file=sys.stderr)
    print(revenue(events).sort("corridorId", "sourceCurrency").collect().write_json())
