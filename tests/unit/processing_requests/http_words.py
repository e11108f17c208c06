"""What requests are made of: for each part of one, what is right, and what is odd or wrong."""

from __future__ import annotations

from typing import Final, NamedTuple


class Words(NamedTuple):
    """The ways in which a part may be written. {} stands for the body's length."""

    right: tuple[str, ...]
    odd: tuple[str, ...]


METHODS: Final = Words(
    ("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "M-SEARCH"), ("CONNECT", "get", "FOO", "P(ST")
)
TARGETS: Final = Words(
    ("/", "/process_request", "/a/b?c=d", "/%70?x%", "/?", "//", "/a%2fb%", "http://a/b", "HTTP://a?b", "*", "/{}|^~`"),
    ("https://[::1]:80/", "http:///b", "ftp://a/b", "a:443", "/#a", "a", "http://u@a/b", "/a\tb", "/é", "?", ""),
)
VERSIONS: Final = Words(
    ("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"),
    ("HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/11", "http/1.1"),
)
HOSTS: Final = Words(
    ("Host: a", "Host:a ", "host: [::1]:80", "Host:\t127.0.0.1:80"),
    ("Host:", "Host: a b", "Host: a,b", "Host: a@b", "Host : a", "X: a", "Host: a\r\nHost: a", "Host: a\r\nhost:"),
)
LENGTHS: Final = Words(
    ("Content-Length: {}", "content-length:{} ", "Content-Length: \t{}", "Content-Length: 0{}"),
    (
        *("Content-Length: +{}", "Content-Length: -{}", "Content-Length: 0x{}", "Content-Length: {}, {}"),
        *("Content-Length:", "Content-Length: {}\t", "Content_Length: {}", "Content-Length : {}", "X: {}"),
        *("Content-Length: {}\r\nContent-Length: {}", "Content-Length: {}\r\nContent-Length: 5"),
        *("Content-Length: {}\r\nTransfer-Encoding: chunked", "Content-Length: 99999999999999999999"),
    ),
)
CODINGS: Final = Words(
    ("Transfer-Encoding: chunked", "transfer-encoding:CHUNKED ", "Transfer-Encoding: \tchunked"),
    (
        *("Transfer-Encoding: xchunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked"),
        *("Transfer-Encoding: identity", "Transfer-Encoding: ,chunked", "Transfer-Encoding:", "X: chunked"),
        *("Transfer-Encoding : chunked", "Transfer-Encoding: chunked\t", "Transfer-Encoding:\r\n chunked"),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    ),
)
FURTHER: Final = Words(
    (
        *("X: y", "X:", "X:\t y \t", "X: é", "Connection: close", "Connection: keep-alive", "Connection: x, CLOSE"),
        *("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "TE: trailers", "Expect: 100-continue"),
    ),
    (
        *("X: a\x01b", "X: a\x7fb", "X: a\x0bb", "X y: z", "X", ": x", " X: y", "X: y\r\n z", "X: a\nY: b"),
        *("X: a\rb", "X: \x00", "É: x", "X\t: y"),
    ),
)
EXTENSIONS: Final = Words(
    ("", "", "", ";a", ";a=b", ';a="b c"'), (';a="', " ;a", " ", "\t", ";\x01", ";a\x7f", ";", "\r", "x", "\n")
)
TRAILERS: Final = Words(
    ("", "", "X: y\r\n", "X: y\r\nZ:\r\n", "Connection: close\r\n", "Host: b\r\n"),
    (
        *("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "X\r\n", "X : y\r\n", "X: y\n", ": x\r\n"),
        *("X: y\r\n z\r\n", "X: \x00\r\n", " X: y\r\n"),
    ),
)
DAMAGES: Final = (b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\x00", b":", b";", b"0", b"f", b"\xff", b"#", b",")
