"""The host of a URL, as browsers read it (WHATWG URL, sections 3.3 to 3.5): IDNA, IPv4 in all its forms, IPv6."""

from __future__ import annotations

import ipaddress
import re
from encodings import idna
from urllib.parse import unquote_to_bytes

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_FORBIDDEN = re.compile(r"[\x00-\x20#/:<>?@\[\\\]^|%\x7f]")


def parse_host(text: str) -> str:
    """The host in ASCII, an IP address in its usual form and without brackets. Raises ValueError."""
    if text.startswith("["):
        try:
            # No scope: it means nothing to anybody else.
            return str(ipaddress.IPv6Address(text[1:-1] if "%" not in text else ""))
        except ValueError:
            raise ValueError(f"{text!r} is no IPv6 address") from None
    host = _to_ascii(unquote_to_bytes(text).decode("utf-8", "replace"))
    if not host:
        raise ValueError("there is no host")
    if _FORBIDDEN.search(host):
        raise ValueError(f"{text!r} is no host name")
    labels = host.removesuffix(".").split(".")
    if re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", labels[-1]):
        return _ipv4(labels, text)
    return host


def _to_ascii(name: str) -> str:
    if name.isascii() and "xn--" not in name.lower():
        return name.lower()
    return ".".join(_label(label) for label in _DOTS.split(name))


def _label(label: str) -> str:
    # Python's codec forbids what DNS cannot hold (long and empty labels); browsers leave that to DNS.
    try:
        prepared = idna.nameprep(label) if not label.isascii() else label.lower()
        if prepared.startswith("xn--"):
            decoded = prepared[4:].encode("ascii").decode("punycode")
            if not decoded or decoded.isascii():
                raise ValueError("no such punycode")
            idna.nameprep(decoded)
            return prepared
        return prepared if prepared.isascii() else "xn--" + prepared.encode("punycode").decode("ascii")
    except (UnicodeError, ValueError):
        raise ValueError(f"{label!r} cannot stand in a host name") from None


def _ipv4(labels: list[str], text: str) -> str:
    """One to four numbers, decimal, octal or hexadecimal; the last fills what is left."""
    try:
        if len(labels) > 4:
            raise ValueError
        numbers = [_number(label) for label in labels]
        *firsts, last = numbers
        if any(number > 255 for number in firsts) or last >= 256 ** (5 - len(numbers)):
            raise ValueError
    except ValueError:
        raise ValueError(f"{text!r} is no IPv4 address") from None
    address = last + sum(number << (8 * (3 - index)) for index, number in enumerate(firsts))
    return str(ipaddress.IPv4Address(address))


def _number(label: str) -> int:
    if not label or not label.isascii() or len(label) > 50:
        raise ValueError
    if label[:2] in ("0x", "0X"):
        return int(label[2:] or "0", 16)
    return int(label, 8) if label.startswith("0") and len(label) > 1 else int(label)
