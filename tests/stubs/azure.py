"""A small Azure Blob Storage over HTTP, with one container, and the endpoints that give out tokens for it.

In a test: `async with AzureStub() as azure`. As a process of its own, in the folder tests:
`python -m stubs.azure`.
"""

from __future__ import annotations

from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING, Final

from aiohttp import web

from stubs.object_store import Dialect, Effect, ObjectStoreStub, Refusal, main, xml

if TYPE_CHECKING:
    from stubs.object_store import StoredObject

# https://learn.microsoft.com/en-us/rest/api/storageservices/put-blob
# https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-error-codes
DIALECT: Final = Dialect(
    metadata="x-ms-meta-",
    created=201,
    create_only=("If-None-Match", "*"),
    taken=Refusal(409, "BlobAlreadyExists"),
    no_bucket=Refusal(404, "ContainerNotFound"),
    no_object=Refusal(404, "BlobNotFound"),
    internal_error=Refusal(500, "InternalError"),
    slow_down=Refusal(503, "ServerBusy"),
    access_denied=Refusal(403, "AuthorizationFailure"),
    archived=(Refusal(409, "BlobArchived"), ("x-ms-access-tier", "Archive")),
)

QUOTE: Final = '"'
TOKEN: Final = "from the managed identity"
FEDERATED_TOKEN: Final = "for a federated one"


class AzureStub(ObjectStoreStub):
    """An Azure Blob Storage endpoint with one container."""

    dialect = DIALECT

    @property
    def environment(self) -> dict[str, str]:
        """As the base class says, with an account key."""
        return {
            "AZURE_STORAGE_ACCOUNT_KEY": "dGVzdA==",
            "AZURE_STORAGE_ACCOUNT_NAME": "account",
            "AZURE_STORAGE_ENDPOINT": self.url,
        }

    def etag(self, stored: StoredObject, effects: set[Effect]) -> str:  # noqa: ARG002  as the base class has it
        """Of the time of the last change: it never is the MD5."""
        return f'"0x{int(stored.modified.timestamp() * 1e7):X}"'

    def refuse(self, refusal: Refusal) -> web.Response:
        """A HEAD's answer has no body, so the code stands in a header, too."""
        response = super().refuse(refusal)
        response.headers["x-ms-error-code"] = refusal.code
        return response

    def _list(self, request: web.Request, prefix: str, effects: set[Effect]) -> web.Response:
        """One page of List Blobs; the marker is the last key of the page before.

        https://learn.microsoft.com/en-us/rest/api/storageservices/list-blobs
        """
        most = int(request.query.get("maxresults", "5000"))
        page, more = self._page(prefix, request.query.get("marker", ""), most)
        blobs = "".join(
            f"<Blob><Name>{escape(key)}</Name><Properties>"
            f"<Last-Modified>{format_datetime(stored.modified, usegmt=True)}</Last-Modified>"
            f"<Etag>{self.etag(stored, effects).strip(QUOTE)}</Etag><Content-Length>{len(stored.body)}</Content-Length>"
            f"<Content-Type>application/octet-stream</Content-Type></Properties></Blob>"
            for key, stored in ((key, self.objects[key]) for key in page)
        )
        marker = f"<NextMarker>{escape(page[-1])}</NextMarker>" if more else "<NextMarker />"
        return xml(200, f"<EnumerationResults><Blobs>{blobs}</Blobs>{marker}</EnumerationResults>")

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        # https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
        router.add_get("/metadata/identity/oauth2/token", self._managed_identity)
        # https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow
        router.add_post("/{tenant}/oauth2/v2.0/token", self._federated_identity)

    async def _managed_identity(self, request: web.Request) -> web.Response:
        if request.headers.get("Metadata") != "true":
            return web.Response(status=400)
        return web.json_response({"access_token": TOKEN, "expires_on": "99999999999", "token_type": "Bearer"})

    async def _federated_identity(self, request: web.Request) -> web.Response:
        if "client_assertion" not in await request.post():
            return web.Response(status=401)
        return web.json_response({"access_token": FEDERATED_TOKEN, "expires_in": 3600, "token_type": "Bearer"})


if __name__ == "__main__":
    main(AzureStub)
