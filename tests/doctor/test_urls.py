"""Addresses as people type them."""

from __future__ import annotations

import pytest

from peerline.doctor.stun.url import parse_url
from peerline.errors import ConfigError
from peerline.server_url import parse_server


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stun:example.org", "stun:example.org:3478"),
        ("turn:example.org:5000?transport=udp", "turn:example.org:5000"),
        ("turn:192.0.2.1?transport=tcp", "turn:192.0.2.1:3478?transport=tcp"),
        ("turns:example.org", "turns:example.org:5349"),
        ("turns:example.org:443?transport=tcp", "turns:example.org:443"),
        ("turn:[2001:db8::1]:3478", "turn:[2001:db8::1]:3478"),
    ],
)
def test_a_turn_uri_is_understood(text: str, told: str) -> None:
    assert str(parse_url(text)) == told


@pytest.mark.parametrize(
    "text",
    ["", "example.org", "turn:", "turn://example.org", "turn:a:0", "turn:a:65536", "turn:a?transport=sctp",
     "turns:a?transport=udp", "http://a", "turn:a b", "turn:user@a"],
)  # fmt: skip
def test_what_is_no_turn_uri_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_url(text)
    assert refused.value.hint is not None
    assert "turn:example.org:3478" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("localhost", "http://localhost:80"),
        ("localhost:8080", "http://localhost:8080"),
        ("https://calls.example.org/calls/", "https://calls.example.org:443/calls"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_server_is_understood(text: str, told: str) -> None:
    assert str(parse_server(text)) == told


@pytest.mark.parametrize(
    "text", ["", "ftp://a", "http://", "http://a:99999", "http://a?b", "http://ann:pw@a", "http://[::1"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_server(text)
