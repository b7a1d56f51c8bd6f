"""Rows of a topic for analysts, straight from Kafka: every committed record, as a dict.

A reader has a schema of its own, the one that it was written for. Avro reads each record by the schema of its writer and gives
what the reader knows: fields that came later are passed over, and fields that were not there yet have their defaults. So a
schema that grows in the middle of a run stops nobody.
"""

import io
import json
import struct
import sys
import time
from pathlib import Path

import fastavro
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient

# What is wanted of transfer.lifecycle: some of its fields. Names and types are those of the data dictionary.
LIFECYCLE = json.loads(Path(__file__).with_name("lifecycle.avsc").read_text())


def rows(brokers, registry_url, topic, reader_schema, follow=None, timeout_s=120):
    """Yields the rows that are in the topic now; with `follow`, goes on until so many rows were read.

    Says on standard error when it has read what was there. Raises TimeoutError when nothing came for `timeout_s`.
    """
    registry = SchemaRegistryClient({"url": registry_url})
    reader = fastavro.parse_schema(reader_schema)
    writers = {}
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "analytics-recipe",  # offsets are not committed: each run begins at the beginning
            "isolation.level": "read_committed",  # the rest never happened
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=timeout_s).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        behind = set(partitions)
        read, heard = 0, time.monotonic()
        while behind or (follow is not None and read < follow):
            message = consumer.poll(1.0)
            if message is None:
                if time.monotonic() - heard > timeout_s:
                    raise TimeoutError(f"nothing came of {topic} for {timeout_s} s")
                continue
            if message.error():
                if message.error().name() != "_PARTITION_EOF":
                    raise RuntimeError(str(message.error()))
                was_behind = bool(behind)
                behind.discard(message.partition())
                if was_behind and not behind:
                    print(f"read {read} rows that were there", file=sys.stderr, flush=True)
                continue
            heard = time.monotonic()
            if message.value() is None:
                continue
            magic, schema_id = struct.unpack(">bI", message.value()[:5])
            if magic != 0:
                raise ValueError(f"{topic}/{message.partition()}@{message.offset()} has no schema id")
            if schema_id not in writers:
                writers[schema_id] = fastavro.parse_schema(json.loads(registry.get_schema(schema_id).schema_str))
            read += 1
            yield fastavro.schemaless_reader(io.BytesIO(message.value()[5:]), writers[schema_id], reader)
    finally:
        consumer.close()
