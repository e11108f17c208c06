"""A small Google Cloud Storage over HTTP, its XML interface, with one bucket and the metadata server of a machine.

In a test: `async with GCSStub() as gcs`. As a process of its own, in the folder tests:
`python -m stubs.gcs`.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from stubs.object_store import Dialect, ObjectStoreStub, Refusal, main

# https://cloud.google.com/storage/docs/xml-api/reference-headers#xgoogifgenerationmatch
# https://cloud.google.com/storage/docs/xml-api/reference-status
DIALECT: Final = Dialect(
    metadata="x-goog-meta-",
    create_only=("x-goog-if-generation-match", "0"),
    taken=Refusal(412, "PreconditionFailed"),
    no_bucket=Refusal(404, "NoSuchBucket"),
    no_object=Refusal(404, "NoSuchKey"),
    internal_error=Refusal(500, "InternalError"),
    slow_down=Refusal(503, "ServiceUnavailable"),
    access_denied=Refusal(403, "AccessDenied"),
)

TOKEN: Final = "from the metadata server"


class GCSStub(ObjectStoreStub):
    """A Google Cloud Storage endpoint with one bucket."""

    dialect = DIALECT

    @property
    def environment(self) -> dict[str, str]:
        """As the base class says. The token is the metadata server's: this one's, too."""
        return {"GOOGLE_BASE_URL": self.url, "GCE_METADATA_HOST": self.url.removeprefix("http://")}

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        # https://cloud.google.com/compute/docs/access/authenticate-workloads#applications
        router.add_get("/computeMetadata/v1/instance/service-accounts/default/token", self._token)

    async def _token(self, request: web.Request) -> web.Response:
        if request.headers.get("Metadata-Flavor") != "Google":
            return web.Response(status=403)
        return web.json_response({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})


if __name__ == "__main__":
    main(GCSStub)
