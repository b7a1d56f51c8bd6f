"""The seal of a rate, for feeds that write to fx.rates: standard library only.

    CORRIDOR_FEED_KEYS=id:secret python rate_seal.py ecb/EUR/USD < value.bin

Reads the value of the record (the registry's bytes: a zero, four bytes of schema id, Avro) and prints what the header
`seal` must be. The key of the record is SOURCE/BASE/QUOTE.
"""

import base64
import hashlib
import hmac
import os
import sys

TOPIC = "fx.rates"


def seal(ring, key, value):
    """`id.mac`: HMAC-SHA-256 under the first key of the ring, over topic, key and value."""
    key_id, secret = ring.split(",")[0].strip().split(":", 1)
    # A rate is made from no other record: its cause, between the line feeds, is empty.
    parts = [f"{TOPIC}\n\nvalue".encode(), key.encode(), value]
    lengths = ",".join(str(len(part)) for part in parts)
    mac = hmac.new(secret.encode(), f"corridor-seal-1\nrecord\n{lengths}\n".encode(), hashlib.sha256)
    for part in parts:
        mac.update(part)
    return f"{key_id}.{base64.urlsafe_b64encode(mac.digest()).decode().rstrip('=')}"


if __name__ == "__main__":
    print(seal(os.environ["CORRIDOR_FEED_KEYS"], sys.argv[1], sys.stdin.buffer.read()))
