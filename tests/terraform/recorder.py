"""A proxy in front of the emulator. It records each call as the action and resource that a policy would grant."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

_TIMEOUT_SECONDS: Final = 40  # a long poll takes 20
_NOT_PASSED_ON: Final = {"connection", "content-length", "transfer-encoding"}
# HEAD needs the same right as GET: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
_S3: Final = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject"}


class Call(NamedTuple):
    """An action on a resource. creates_only: on S3, whether the call had `If-None-Match: *`."""

    action: str
    resource: str
    creates_only: bool = False


@contextmanager
def recording(endpoint_url: str, *, account: str, region: str) -> Iterator[tuple[str, list[Call]]]:
    """Gives an endpoint to use in place of the emulator's, and the list that calls are recorded in."""
    calls: list[Call] = []
    to = urlsplit(endpoint_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            calls.extend(_calls(self.command, self.path, self.headers, body, scope=f"{region}:{account}"))
            with closing(http.client.HTTPConnection(str(to.hostname), to.port, timeout=_TIMEOUT_SECONDS)) as onward:
                try:
                    onward.request(self.command, self.path, body, dict(self.headers))
                    response = onward.getresponse()
                    content = response.read()
                    self.send_response(response.status)
                    for name, value in response.getheaders():
                        if name.lower() not in _NOT_PASSED_ON:
                            self.send_header(name, value)
                    # The answer to a HEAD has no body, but its length is that of the object.
                    length = response.getheader("Content-Length") if self.command == "HEAD" else None
                    self.send_header("Content-Length", length or str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True  # the service, or the emulator, has ended

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST  # noqa: N815  the names that the standard library calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the standard library's name
            """Log nothing: the calls are in the list."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", calls
    finally:
        server.shutdown()
        server.server_close()


def _calls(method: str, path: str, headers: Message, body: bytes, *, scope: str) -> Iterator[Call]:
    service, _, operation = headers.get("X-Amz-Target", "").partition(".")
    asked: dict[str, Any] = json.loads(body) if service else {}
    match service:
        case "AmazonSQS":
            # A batch is granted by the right to the single call.
            name = asked["QueueUrl"].rpartition("/")[2]
            yield Call(f"sqs:{operation.removesuffix('Batch')}", f"arn:aws:sqs:{scope}:{name}")
        case "AmazonSSM":
            for name in asked["Names"]:
                yield Call(f"ssm:{operation}", f"arn:aws:ssm:{scope}:parameter{name}")
        case _:
            bucket_and_key = unquote(urlsplit(path).path).lstrip("/")
            yield Call(
                _S3.get(method, f"s3:{method}"), f"arn:aws:s3:::{bucket_and_key}", headers.get("If-None-Match") == "*"
            )
