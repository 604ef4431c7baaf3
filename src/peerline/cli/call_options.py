"""What `peerline call` and `peerline send` have in common: where the server is, who we are, whom we trust."""

from __future__ import annotations

import argparse
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from peerline.cli.parser import VerbParser
from peerline.errors import ConfigError

if TYPE_CHECKING:
    from peerline.client import connect

__all__ = ["EXIT_CODES", "add_options", "read_token", "sign_in"]

DEFAULT_SERVER = "http://localhost:8080"
EXIT_CODES = "Exit code: 0 done; 2 busy or declined; 3 the server or the person cannot be reached; 1 anything else."


def add_options(p: argparse.ArgumentParser) -> None:
    """The flags of both."""
    assert isinstance(p, VerbParser)
    p.usage_error_code = 1
    p.add_argument("--server", metavar="URL", default=DEFAULT_SERVER, help=f"the server ({DEFAULT_SERVER})")
    p.add_argument("--as", dest="own_name", metavar="NAME", help="who you are; with --token it may be left out")
    p.add_argument("--token", type=Path, metavar="FILE", help="a file with a token, where the server asks for one")
    p.add_argument("--ca", type=Path, metavar="FILE", help="a certificate to trust, PEM; SSL_CERT_FILE counts, too")
    p.add_argument("--insecure", action="store_true", help="trust whatever certificate the server shows")
    p.add_argument(
        "--transport", choices=("auto", "websocket", "http", "poll"), default="auto",
        help="how to talk to the server: auto takes the first that works",
    )  # fmt: skip
    p.add_argument("--json", action="store_true", help="tell everything as lines of JSON, for programs")


def sign_in(arguments: argparse.Namespace) -> connect:
    """Raises ConfigError."""
    from peerline.client import connect

    token = read_token(arguments.token)
    if arguments.own_name is None and token is None:
        raise ConfigError("nobody knows who you are", hint="Give --as NAME.")
    return connect(
        arguments.server,
        name=arguments.own_name,
        token=token,
        tls=_trust(arguments.ca, is_insecure=arguments.insecure),
        transport=arguments.transport,
    )


def read_token(file: Path | None) -> str | None:
    """The token in it. Raises ConfigError."""
    if file is None:
        return None
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise ConfigError(f"{file}: {reason}") from error
    if not token:
        raise ConfigError(f"{file}: there is no token in it", hint="peerline token create --name NAME > FILE")
    return token


def _trust(ca: Path | None, *, is_insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except ssl.SSLError as error:
            raise ConfigError(
                f"{ca}: no certificate in PEM", hint="It begins with -----BEGIN CERTIFICATE-----"
            ) from error
        except OSError as error:
            raise ConfigError(f"{ca}: {error.strerror}") from error
    if is_insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
