"""Media types that schemathesis does not know by itself."""
import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    """A batch is text already, whatever stands in it. What is no text (of bad requests) is bytes that cannot be read as it."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b"\xff\xfe"
