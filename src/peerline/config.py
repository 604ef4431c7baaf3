"""Settings: one frozen dataclass, filled from a TOML file, then the environment, then flags; the last one wins."""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from peerline.errors import ConfigError

ENV_PREFIX = "PEERLINE_"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may do (docs/protocol.md, section 12). Benchmarks lift these."""

    rate: float = 50.0  # messages per second of one session
    burst: int = 200
    calls_per_minute: int = 120  # of one person
    hellos_per_minute: int = 600  # of one address: a whole school may sit behind it
    devices: int = 16  # of one person
    unread_bytes: int = 1 << 20  # sent to a socket and not read by the client
    connections: int = 10_000  # sockets and streams at once


@dataclass(frozen=True, slots=True)
class Signaling:
    """Times of the signaling protocol, in seconds."""

    heartbeat_s: float = 20.0
    grace_s: float = 60.0  # a session without a socket is kept this long
    linger_s: float = 5.0  # and its person shown as present this long
    hold_s: float = 20.0  # a call waits this long for a device that crashed
    sync_s: float = 60.0  # and this long for the other side after a restart
    hello_timeout_s: float = 5.0
    ring_s: float = 45.0
    ice_ttl_s: float = 86_400.0  # TURN credentials are good for so long, and renewed after half of it
    drain_s: float = 2.0  # after a restart clients come back spread over this time


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """What one user of the TURN server may have; 0 lifts a limit. Those below `allocations` are of one of them."""

    max_allocations: int = 100_000  # of all users together; past it, as past the relay ports, clients get 508
    total_packets_per_s: int = 0  # relayed for all together, either way; what is too much is dropped
    total_bits_per_s: int = 0
    allocations: int = 10
    permissions: int = 64
    channels: int = 64
    new_peers_per_s: int = 5
    new_peers_burst: int = 32
    packets_per_s: int = 10_000
    bits_per_s: int = 50_000_000
    tcp_connections: int = 32  # with peers at once, where there are TCP relays; of static users too
    static_users: bool = False  # whether all this holds for `turn_user` too


@dataclass(frozen=True, slots=True)
class Config:
    """Everything `peerline serve` and `peerline.server.create_app` can be told."""

    host: str = "127.0.0.1"
    port: int = 8080
    lan: bool = False  # also listen on the LAN, with HTTPS
    stun_port: int = 3478
    echo: bool = True  # a robot called Echo, which shows and tells people what it sees and hears of them
    turn: bool = True
    turn_port: int = 3478  # UDP and TCP; the same as stun_port: one socket for both
    turn_tls_port: int = 5349  # TLS; open where there is a certificate: this one, or that of `lan`
    turn_cert: Path | None = None  # PEM, the whole chain; read again when it changes
    turn_key: Path | None = None
    relay_ports: str = "49152-65535"
    external_ip: tuple[str, ...] = ()  # PUBLIC or PUBLIC/PRIVATE, where the server stands behind a one-to-one NAT
    allow_peer: tuple[str, ...] = ()  # networks the relay may reach although they are private, local or reserved
    turn_alternate: tuple[str, ...] = ()  # ADDRESS[:PORT] of this host, for behaviour discovery (RFC 5780); (): off
    tcp_relays: bool = False  # whether the relay carries TCP to peers, too (RFC 6062)
    turn_mobility: bool = False  # whether an allocation may follow its client to another address (RFC 8016)
    realm: str = "peerline"  # of the TURN server, told to clients
    rest_secret: tuple[str, ...] = field(default=(), repr=False)  # of TURN credentials, newest first; (): made once
    turn_user: tuple[str, ...] = field(default=(), repr=False)  # NAME:PASSWORD, good for ever
    auth: Literal["open", "token"] = "open"
    database: str | None = None  # SQLAlchemy URL; None: in memory
    data_dir: Path = field(default_factory=lambda: Path.home() / ".peerline")
    json_logs: bool = False
    ice_servers: tuple[str, ...] = ()  # URLs for clients besides our own STUN server
    allowed_origins: tuple[str, ...] = ()  # pages from elsewhere that may connect, e.g. "https://app.example.org"
    token_secret: str | None = field(default=None, repr=False)  # signs tokens; None: made once, kept in data_dir
    plugins: tuple[str, ...] = ()  # modules, or paths: of the file relative to it, of flags to the working directory
    plugin_timeout_s: float = 5.0  # a plugin that takes longer is not waited for
    name_ttl_days: int = 365  # a name unused for so long is free again; 0: never
    limits: Limits = field(default_factory=Limits)
    signaling: Signaling = field(default_factory=Signaling)
    turn_limits: TurnLimits = field(default_factory=TurnLimits)

    @property
    def keeps_data(self) -> bool:
        """Whether anything is kept in `data_dir`: a database, a secret, a certificate."""
        return self.database not in (None, "memory:") or self.auth == "token" or self.lan


def load_config(
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    flags: Mapping[str, Any] | None = None,
) -> Config:
    """Put the settings together. `flags` are those given on the command line, by field name.

    Raises ConfigError that names the key, the file, and the nearest key there is.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text())
        except OSError as error:
            raise ConfigError(f"{file}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: {error}") from error
    # One key for each setting, however it is written: the environment adds to the tables of the file.
    values = {
        key.replace("-", "_") if key.replace("-", "_") in _fields(Config) else key: v for key, v in values.items()
    }
    if file is not None and isinstance(values.get("plugins"), list):
        values["plugins"] = [_beside(file, name) for name in values["plugins"]]
    for name, text in environment.items():
        if name.startswith(ENV_PREFIX):
            _put_environment(values, name, text)
    values.update(flags or {})
    return typing.cast(Config, _build(Config, values, str(file) if file else "settings"))


def _beside(file: Path, plugin: Any) -> Any:
    """A path in a file counts from the file's folder."""
    is_path = isinstance(plugin, str) and ("/" in plugin or plugin.endswith(".py"))
    return str(file.absolute().parent / plugin) if is_path else plugin


def _put_environment(values: dict[str, Any], name: str, text: str) -> None:
    """PEERLINE_PORT=1 is `port`, PEERLINE_LIMITS_RATE=1 is `rate` in `[limits]`."""
    key = name.removeprefix(ENV_PREFIX).lower()
    for section, cls in (("limits", Limits), ("signaling", Signaling), ("turn_limits", TurnLimits)):
        inner = key.removeprefix(section + "_")
        if inner != key and inner in _fields(cls):
            given = values.get(section, {})
            values[section] = {**given, inner: text} if isinstance(given, Mapping) else given
            return
    if key in _fields(Config):
        values[key] = text
    # Other PEERLINE_ variables are not ours to judge: another tool may own them.


def _fields(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(cls: type, values: Mapping[str, Any], where: str) -> Any:
    hints = _fields(cls)
    known: dict[str, Any] = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in hints:
            near = difflib.get_close_matches(name, hints, n=1)
            raise ConfigError(
                f"{where}: there is no setting {key!r}",
                hint=f"Did you mean {near[0]!r}?" if near else f"Settings here: {', '.join(hints)}.",
            )
        if dataclasses.is_dataclass(hints[name]):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{where}: {key!r} is a table of settings")
            known[name] = _build(typing.cast(type, hints[name]), value, f"{where}: [{key}]")
        else:
            known[name] = _convert(hints[name], value, f"{where}: {key}")
    return cls(**known)


def _convert(kind: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _convert(next(a for a in args if a is not type(None)), value, where)
    if origin is Literal:
        if value in args:
            return value
        raise ConfigError(f"{where}: {value!r} is none of {', '.join(map(repr, args))}")
    if origin is tuple:
        items = value.split(",") if isinstance(value, str) else value
        if isinstance(items, list | tuple) and all(isinstance(i, str) for i in items):
            return tuple(i.strip() for i in items if i.strip())
        raise ConfigError(f"{where}: expected a list of texts")
    if kind is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    if kind is bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        raise ConfigError(f"{where}: {value!r} is neither true nor false")
    if kind is str and isinstance(value, str):
        return value
    if kind in (int, float) and not isinstance(value, bool) and isinstance(value, int | float | str):
        return _number(kind, value, where)
    raise ConfigError(f"{where}: {value!r} is no {getattr(kind, '__name__', kind)}")


def _number(kind: type, value: int | float | str, where: str) -> Any:
    try:
        number = kind(value)
        if number != float(value):
            raise ValueError
    except (ValueError, OverflowError):
        raise ConfigError(f"{where}: {value!r} is no {'whole ' if kind is int else ''}number") from None
    if number < 0 or number != number:
        raise ConfigError(f"{where}: {value!r} is below zero")
    if where.endswith("port") and number > 65535:
        raise ConfigError(f"{where}: {value!r} is no port", hint="Ports go from 0 to 65535.")
    return number
