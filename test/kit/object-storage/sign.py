"""The signature that AWS's own library gives a request, for tests: JSON in, the header `authorization` out."""

import datetime
import json
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

asked = json.load(sys.stdin)
at = datetime.datetime.fromtimestamp(asked["now"] / 1000, datetime.timezone.utc)


class Then(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return at.replace(tzinfo=None)

    @classmethod
    def now(cls, tz=None):
        return at if tz else at.replace(tzinfo=None)


botocore.auth.datetime = type("module", (), {"datetime": Then, "timezone": datetime.timezone})
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: at.replace(tzinfo=None) if remove_tzinfo else at
request = AWSRequest(method=asked["method"], url=asked["url"], headers=asked["headers"], data=asked["body"].encode())
request.context["payload_signing_enabled"] = True
credentials = Credentials(asked["accessKeyId"], asked["secretAccessKey"], asked["sessionToken"])
botocore.auth.S3SigV4Auth(credentials, "s3", asked["region"]).add_auth(request)
print(json.dumps({name.lower(): value for name, value in request.headers.items()}))
