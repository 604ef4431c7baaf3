"""The small parts of the server: who may connect, limits, the certificate for the LAN, one port for TLS and plain."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from starlette.datastructures import Headers

from peerline.config import Config
from peerline.server.admin import Gate
from peerline.server.api import Api
from peerline.server.http_signal import _event
from peerline.server.lan import lan_identity
from peerline.server.limits import MAX_KEYS, Buckets
from peerline.server.listener import SortingListener, bind
from peerline.server.logs import _Json
from peerline.server.openapi import openapi_document
from peerline.server.origin import is_local, may_connect
from peerline.server.service import Service


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "may"),
    [
        (None, "localhost:8080", (), True),
        ("http://localhost:8080", "localhost:8080", (), True),
        ("http://LOCALHOST:8080", "localhost:8080", (), True),
        ("https://evil.example", "localhost:8080", (), False),
        ("http://localhost:9090", "localhost:8080", (), False),
        ("null", "localhost:8080", (), False),
        ("https://app.example", "calls.example", ("https://app.example",), True),
        ("https://evil.example", None, (), False),
    ],
)
def test_pages_from_elsewhere_may_not_connect(
    origin: str | None, host: str | None, allowed: tuple[str, ...], may: bool
) -> None:
    assert may_connect(origin, host, allowed) is may


@pytest.mark.parametrize(
    ("headers", "client", "local"),
    [
        ({"host": "localhost:8080"}, "127.0.0.1", True),
        ({"host": "127.0.0.1"}, "127.0.0.1", True),
        ({"host": "[::1]:8080"}, "::1", True),
        ({"host": "[::1]"}, "::1", True),
        ({"host": "evil.example"}, "127.0.0.1", False),
        ({"host": "localhost", "x-forwarded-for": "1.2.3.4"}, "127.0.0.1", False),
        ({"host": "localhost", "forwarded": "for=1.2.3.4"}, "127.0.0.1", False),
        ({"host": "localhost"}, "192.168.1.5", False),
        ({"host": "localhost"}, None, False),
        ({"host": "localhost"}, "testclient", False),
        ({}, "127.0.0.1", False),
    ],
)
def test_only_somebody_at_this_machine_is_local(headers: dict[str, str], client: str | None, local: bool) -> None:
    assert is_local(Headers(headers), client) is local


def test_a_bucket_empties_and_fills_again() -> None:
    buckets = Buckets(60)
    assert all(buckets.take("a", 0.0) for _ in range(60))
    assert not buckets.take("a", 0.0)
    assert buckets.wait_ms("a", 0.0) == 1000
    assert buckets.take("b", 0.0)
    assert buckets.take("a", 1.0)
    assert not buckets.take("a", 1.0)
    assert all(Buckets(0).take("a", 0.0) for _ in range(1000))


def test_buckets_of_a_million_sources_have_bounded_memory() -> None:
    buckets = Buckets(30)
    for n in range(2 * MAX_KEYS):
        assert buckets.take(str(n), n * 1e-6)
    assert len(buckets._levels) <= MAX_KEYS


def test_the_certificate_names_the_address_is_kept_and_made_anew_for_another(tmp_path: Path) -> None:
    first = lan_identity("192.0.2.7", tmp_path)
    path = tmp_path / "lan" / "server.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "192.0.2.7" in [str(a) for a in names.get_values_for_type(x509.IPAddress)]
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 91
    assert lan_identity("192.0.2.7", tmp_path).fingerprint == first.fingerprint
    assert lan_identity("192.0.2.8", tmp_path).fingerprint != first.fingerprint
    path.write_text("half a certifi")
    assert lan_identity("192.0.2.8", tmp_path).fingerprint.count(":") == 31


class _Answer(asyncio.Protocol):
    def __init__(self, word: bytes) -> None:
        self.word = word

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.word + data)
        self.transport.close()


async def test_one_port_serves_tls_and_plain_text_and_survives_garbage_and_silence(tmp_path: Path) -> None:
    identity = lan_identity("127.0.0.1", tmp_path)
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    listener = SortingListener(
        sock, identity.context, secure=lambda: _Answer(b"tls "), plain=lambda: _Answer(b"plain ")
    )
    listener.start()
    silent = socket.create_connection(("127.0.0.1", port))  # never says a word; nobody waits for it
    gone = socket.create_connection(("127.0.0.1", port))
    gone.close()
    trust = ssl.create_default_context(cafile=None)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    for context, said, answer in (
        (None, b"GET", b"plain GET"),
        (trust, b"GET", b"tls GET"),
        (None, b"\x00\xff", b"plain \x00\xff"),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(said)
        assert await asyncio.wait_for(reader.read(), 10) == answer
        writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x16 this is no handshake" * 10)
    try:
        await asyncio.wait_for(reader.read(), 15)
    except ConnectionError:
        pass
    writer.close()
    silent.close()
    await listener.close()


def test_an_event_holds_no_line_end_and_carries_its_number() -> None:
    assert (
        _event(b'{"s":12,"a":3,"t":"desc","d":{\n"x":\r\n1}}')
        == b'id: 12\ndata: {"s":12,"a":3,"t":"desc","d":{ "x":  1}}\n\n'
    )
    assert _event(b'{"t":"pong","d":{}}') == b'data: {"t":"pong","d":{}}\n\n'


def test_a_json_log_line_is_one_object() -> None:
    try:
        raise ValueError("line\nend")
    except ValueError:
        record = logging.LogRecord("peerline.x", logging.ERROR, __file__, 1, "it %s", ("failed",), sys.exc_info())
    entry = json.loads(_Json().format(record))
    assert (entry["level"], entry["message"], entry["logger"]) == ("error", "it failed", "peerline.x")
    assert "ValueError" in entry["error"]


def test_the_openapi_document_names_every_route_and_resolves() -> None:
    operations = Api(Service(Config()), Gate(lambda: None)).operations
    document = openapi_document(operations)
    turn = {"/turn/allocations", "/turn/allocations/{id}", "/turn/usage"}
    assert set(document["paths"]) == {"/people", "/calls", "/history", *turn}
    described = [o for path in document["paths"].values() for o in path.values()]
    assert len(described) == len(operations) == len({o["operationId"] for o in described})
    text = json.dumps(document)
    for schema in document["components"]["schemas"]:
        assert f"#/components/schemas/{schema}" in text


def test_the_typescript_types_are_those_of_the_messages() -> None:
    subprocess.run([sys.executable, "-m", "peerline.signaling.typescript", "--check"], check=True)
