"""A small S3 over HTTP, with one bucket, whose faults a test switches on. It checks no signature.

In a test: `async with S3Stub() as s3`. As a process of its own, in the folder tests:
`python -m stubs.s3`.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from aiohttp import web

from stubs.object_store import Dialect, Effect, ObjectStoreStub, Refusal, main, xml

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
DIALECT: Final = Dialect(
    metadata="x-amz-meta-",
    create_only=("If-None-Match", "*"),
    taken=Refusal(412, "PreconditionFailed"),
    no_bucket=Refusal(404, "NoSuchBucket"),
    no_object=Refusal(404, "NoSuchKey"),
    internal_error=Refusal(500, "InternalError"),
    slow_down=Refusal(503, "SlowDown"),
    access_denied=Refusal(403, "AccessDenied"),
    archived=(Refusal(403, "InvalidObjectState"), ("x-amz-storage-class", "GLACIER")),
)


class S3Stub(ObjectStoreStub):
    """An S3 endpoint with one bucket; it also deletes."""

    dialect = DIALECT

    @property
    def environment(self) -> dict[str, str]:
        """What makes an AWS SDK, in this process or another, talk to the stub."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    async def _do(
        self, method: str, key: str, request: web.Request, body: bytes, effects: set[Effect]
    ) -> web.StreamResponse:
        if method == "DELETE":
            return self._delete(key, body)
        return await super()._do(method, key, request, body, effects)

    def _delete(self, key: str, body: bytes) -> web.Response:
        """One object by its key, or several by a list of keys, as DeleteObjects has it.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
        """
        if key:
            self.objects.pop(key, None)
            return web.Response(status=204)
        keys: list[str] = re.findall("<Key>(.*?)</Key>", body.decode())
        for each in keys:
            self.objects.pop(unescape(each), None)
        deleted = "".join(f"<Deleted><Key>{each}</Key></Deleted>" for each in keys)
        return xml(200, f"<DeleteResult>{deleted}</DeleteResult>")


if __name__ == "__main__":
    main(S3Stub)
