"""Another vendor's client (librdkafka), for tests: writes records by a codec, or reads a topic.

produce BROKERS TOPIC CODEC < lines of "partition key value", key and value in base64
consume BROKERS TOPIC "partition:from:to ..." > the same lines
"""

import base64
import sys

from confluent_kafka import Consumer, Producer, TopicPartition


def produce(brokers, topic, codec):
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "compression.type": codec,
            "acks": "all",
            # All of a partition in one batch, as far as the broker takes it.
            "linger.ms": 2000,
            "batch.size": 900000,
            "batch.num.messages": 100000,
        }
    )
    failures = []
    for line in sys.stdin:
        partition, key, value = line.split()
        producer.produce(
            topic,
            partition=int(partition),
            key=base64.b64decode(key),
            value=base64.b64decode(value),
            on_delivery=lambda error, _message: failures.append(error) if error else None,
        )
    left = producer.flush(120)
    if failures or left:
        raise SystemExit(f"{left} left, refused: {failures[:3]}")


def consume(brokers, topic, ranges):
    ends = {}
    starts = []
    for each in ranges.split():
        partition, first, end = (int(part) for part in each.split(":"))
        ends[partition] = end
        starts.append(TopicPartition(topic, partition, first))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "foreign-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "check.crcs": True,
        }
    )
    consumer.assign([start for start in starts if start.offset < ends[start.partition]])
    open_partitions = {start.partition for start in starts if start.offset < ends[start.partition]}
    while open_partitions:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            if message.error().name() != "_PARTITION_EOF":
                raise SystemExit(message.error())
            open_partitions.discard(message.partition())
            continue
        if message.offset() >= ends[message.partition()]:
            open_partitions.discard(message.partition())
            continue
        key = base64.b64encode(message.key()).decode()
        value = base64.b64encode(message.value()).decode()
        print(message.partition(), key, value)
    consumer.close()


if __name__ == "__main__":
    {"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:])
