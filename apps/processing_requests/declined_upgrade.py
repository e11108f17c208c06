"""An offer to speak another protocol is not taken up: the request is answered as if it had not been made.

Java's clients offer HTTP/2 with every request by default (`Upgrade: h2c`). RFC 9110 (7.8) lets a server ignore that;
httptools skips such a request's body, and uvicorn goes on without it: https://github.com/Kludex/uvicorn/issues/2722.
"""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OF_THE_OFFER = {b"upgrade", b"http2-settings"}


class DecliningProtocol(HttpToolsProtocol):
    """uvicorn's protocol, but an offer's request is parsed once more, without the offer."""

    def data_received(self, data: bytes) -> None:
        """As asyncio says."""
        self._unset_keepalive_if_required()
        to_parse = [memoryview(data)]
        try:
            while to_parse:
                piece = to_parse.pop()
                try:
                    self.parser.feed_data(piece)
                except httptools.HttpParserUpgrade as offer:
                    to_parse += [piece[offer.args[0] :], memoryview(self._head_without_offer())]
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def on_headers_complete(self) -> None:
        """As httptools says."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """As httptools says."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _head_without_offer(self) -> bytes:
        """The head just parsed, for a parser that has not seen it; HttpParserError for the one method that is an offer.

        `Connection` goes with the rest of the offer, unless it also asks to end the connection.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise httptools.HttpParserError("CONNECT is for proxies.")
        headers = [(name, value) for name, value in self.headers if name not in {b"connection", *_OF_THE_OFFER}]
        if any(name == b"connection" and b"close" in value.lower() for name, value in self.headers):
            headers.append((b"connection", b"close"))
        lines = [b"%s %s HTTP/%s" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in headers]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        return b"\r\n".join([*lines, b"", b""])
