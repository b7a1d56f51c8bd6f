"""Publishes one transfer intent and follows it to its end.

    pip install -r requirements.txt
    python transfer.py --brokers 127.0.0.1:9092 --registry http://127.0.0.1:8081/apis/ccompat/v7

Prints one line per transition, as JSON. Exits 0 when the transfer completes, 1 when it ends otherwise,
2 when nothing is heard of it in time.
"""

import argparse
import json
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

INTENTS = "transfer.requested"
LIFECYCLE = "transfer.lifecycle"
ENDS = {"COMPLETED", "REJECTED", "HELD", "RETURNED", "DEAD_LETTERED"}


def party(customer_id, name, birth_date, country, town, account):
    return {
        "customerId": customer_id,
        "kind": "PERSON",
        "name": name,
        "birthDate": birth_date,
        "country": country,
        "nationalities": [country],
        "identifiers": [],
        "address": None,
        # Town and country in fields: since 14 November 2026 one line is no address.
        "postalAddress": {"town": town, "country": country},
        "account": account,
    }


def intent(transfer_id):
    """25.00 GBP from London to Mumbai. Amounts are integers in minor units, never floats."""
    return {
        "transferId": transfer_id,
        "endToEndId": f"PY-{transfer_id}"[:35],
        "requestedAt": int(time.time() * 1000),
        "instructedAmount": {"minor": 2500, "currency": "GBP"},
        "amountSide": "SOURCE",
        "sourceCurrency": "GBP",
        "targetCurrency": "INR",
        "chargeBearer": "SLEV",
        "purposeCode": "DEPD",
        "requestedExecutionDate": None,
        "parties": (
            "corridor.Parties",
            {
                "debtor": party(
                    f"customer-{transfer_id}",
                    "Amelia Hargreaves",
                    "1984-03-12",
                    "GB",
                    "Leeds",
                    {"scheme": "IBAN", "value": "GB29NWBK60161331926819", "agent": None},
                ),
                "creditor": party(
                    f"beneficiary-{transfer_id}",
                    "Rohan Deshpande",
                    "1979-11-02",
                    "IN",
                    "Pune",
                    {"scheme": "BBAN", "value": "502100331488", "agent": "HDFC0000077"},
                ),
                "remittanceInformation": "school fees",
                # Whoever else takes part, where there is somebody: an agent, or who the money is from or for in the end.
                "intermediaries": [
                    {
                        "role": "INTERMEDIARY_AGENT",
                        "customerId": None,
                        "kind": "ORGANISATION",
                        "name": "Sahyadri Settlement Bank",
                        "birthDate": None,
                        "country": "IN",
                        "nationalities": [],
                        "identifiers": [{"scheme": "BIC", "value": "QQSAINBBXXX", "country": None}],
                        "address": None,
                    }
                ],
            },
        ),
    }


def publish(args, registry, value):
    # The registered schema is used as it is: a producer does not register one.
    serializer = AvroSerializer(
        registry,
        conf={"auto.register.schemas": False, "use.latest.version": True},
    )
    producer = Producer({"bootstrap.servers": args.brokers, "enable.idempotence": True, "acks": "all"})
    failures = []
    producer.produce(
        INTENTS,
        key=value["transferId"],
        value=serializer(value, SerializationContext(INTENTS, MessageField.VALUE)),
        on_delivery=lambda error, _message: failures.append(error) if error else None,
    )
    producer.flush(30)
    if failures:
        raise SystemExit(f"the broker refused the intent: {failures[0]}")


def subscribe_to_lifecycle(args):
    consumer = Consumer(
        {
            "bootstrap.servers": args.brokers,
            "group.id": f"python-example-{uuid.uuid4()}",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    partitions = consumer.list_topics(LIFECYCLE, timeout=30).topics[LIFECYCLE].partitions
    # From the present ends on: taken before the intent is published, so nothing of it is missed.
    ends = []
    for partition in partitions:
        _low, high = consumer.get_watermark_offsets(TopicPartition(LIFECYCLE, partition), timeout=30)
        ends.append(TopicPartition(LIFECYCLE, partition, high))
    consumer.assign(ends)
    return consumer


def follow(consumer, registry, transfer_id, timeout_s):
    deserializer = AvroDeserializer(registry)
    deadline = time.time() + timeout_s
    while time.time() < deadline:
        message = consumer.poll(1.0)
        if message is None or message.error():
            continue
        if message.key() != transfer_id.encode():
            continue
        record = deserializer(message.value(), SerializationContext(LIFECYCLE, MessageField.VALUE))
        print(json.dumps(record, default=str), flush=True)
        if record["state"] in ENDS:
            return record["state"]
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--timeout", type=float, default=60, help="seconds to wait for the end")
    args = parser.parse_args()

    registry = SchemaRegistryClient({"url": args.registry})
    transfer_id = str(uuid.uuid4())
    consumer = subscribe_to_lifecycle(args)
    publish(args, registry, intent(transfer_id))
    state = follow(consumer, registry, transfer_id, args.timeout)
    consumer.close()
    if state is None:
        print(f"nothing final was heard of {transfer_id} within {args.timeout} s", file=sys.stderr)
        return 2
    return 0 if state == "COMPLETED" else 1


if __name__ == "__main__":
    sys.exit(main())
