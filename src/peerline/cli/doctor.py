"""`peerline doctor`: looks at a server from a client's side, and says what does not work and the line that fixes it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peerline.config import load_config
from peerline.errors import ConfigError

if TYPE_CHECKING:
    from peerline.doctor.check import Check
    from peerline.doctor.patient import IceServer, Patient

DEFAULT_SERVER = "http://localhost:8080"


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb and its flags."""
    p = verbs.add_parser(
        "doctor", help="find out what does not work, and how to fix it", description=__doc__,
        epilog="Exit code: 0 all is well, or only warnings; 1 something failed; 2 no server there, or bad usage. "
        "The browser's half of the doctor is the server's page /doctor.",
    )  # fmt: skip
    p.add_argument("--server", metavar="URL", help=f"the server to look at ({DEFAULT_SERVER})")
    p.add_argument(
        "--turn", metavar="URI", action="append", default=[],
        help="look at this STUN or TURN server and not at those that the server offers, for example "
        "turn:example.org:3478; without --server at nothing else; may be given again",
    )  # fmt: skip
    p.add_argument("--user", metavar="NAME:PASSWORD", help="opens the TURN servers of --turn")
    p.add_argument("--token", type=Path, metavar="FILE", help="a file with a token, where the server asks for one")
    p.add_argument(
        "--data-dir", type=Path, metavar="DIR", default=argparse.SUPPRESS,
        help="where the doctor keeps the name it signs in with (~/.peerline)",
    )  # fmt: skip
    p.add_argument("--json", action="store_true", help="everything as JSON, for programs")
    p.add_argument("--no-addresses", action="store_true", help="leave out all IP addresses: for showing it to others")
    p.add_argument("--verbose", action="store_true", help="tell of every check what it saw")
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Examine and report; returns the exit code."""
    from peerline.doctor.check import State
    from peerline.doctor.checks import stages
    from peerline.doctor.examination import examine, verdict
    from peerline.doctor.http import UnreachableError
    from peerline.doctor.report import as_json

    patient = _patient(arguments)
    plan = stages(with_signaling=patient.server is not None)
    checks = [check for stage in plan for check in stage]
    teller = _Teller(checks, arguments)
    try:
        asyncio.run(examine(patient, plan, teller.on_change))
    except UnreachableError as error:
        if not arguments.json:
            raise ConfigError(error.message, code=error.code, hint=error.hint) from error
        teller.write(_to_json({"error": {"code": error.code, "msg": error.message, "hint": error.hint}}))
        return 2
    if arguments.json:
        teller.write(_to_json(as_json(patient, checks)))
    else:
        teller.tell_the_rest(patient)
    return 1 if verdict(checks) is State.FAILED else 0


class _Teller:
    """Writes results in the order of the checks as soon as they are there, and on a terminal what runs meanwhile."""

    def __init__(self, checks: list[Check], arguments: argparse.Namespace) -> None:
        from peerline.doctor.report import Ink

        self._checks = checks
        self._told = 0
        self._as_json = arguments.json
        self._with_log = arguments.verbose
        self._hides_addresses = arguments.no_addresses
        self._is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._ink = Ink(is_coloured=self._is_terminal and "NO_COLOR" not in os.environ)

    def on_change(self, _: Check) -> None:
        """A check began or ended."""
        from peerline.doctor.report import lines_of

        if self._as_json:
            return
        self._show_progress("")
        while self._told < len(self._checks) and self._checks[self._told].outcome is not None:
            for line in lines_of(self._checks[self._told], self._ink, with_log=self._with_log):
                self.write(line)
            self._told += 1
        running = [check.title for check in self._checks if check.state == "running"]
        self._show_progress(f"… {', '.join(running)}" if running else "")

    def tell_the_rest(self, patient: Patient) -> None:
        """The picture, and where the other half is."""
        from peerline.doctor.path import draw
        from peerline.doctor.report import without_addresses

        self.write("")
        for line in draw(patient, without_addresses if self._hides_addresses else str):
            self.write(f"  {line}")
        if patient.server is not None:
            self.write(f"\nWhat the browser thinks of it: {patient.server}/doctor")

    def write(self, line: str) -> None:
        """To standard output."""
        from peerline.doctor.report import without_addresses

        print(without_addresses(line) if self._hides_addresses else line, flush=True)

    def _show_progress(self, words: str) -> None:
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns
            sys.stdout.write(f"\r\x1b[K{words[: columns - 1]}")
            sys.stdout.flush()


def _patient(arguments: argparse.Namespace) -> Patient:
    """Raises ConfigError."""
    from peerline.doctor.identity import load_identity
    from peerline.doctor.patient import Patient
    from peerline.server_url import parse_server

    if arguments.user is not None and not arguments.turn:
        raise ConfigError("--user opens the servers of --turn, and there is none", hint="Give --turn URI, too.")
    given = _given(arguments)
    flags = {"data_dir": arguments.data_dir} if "data_dir" in arguments else {}
    server = None
    if arguments.server is not None or not given:
        server = parse_server(DEFAULT_SERVER if arguments.server is None else arguments.server)
    return Patient(
        server, load_identity(load_config(None, flags=flags).data_dir), token=_token(arguments.token), given=given
    )


def _given(arguments: argparse.Namespace) -> tuple[IceServer, ...]:
    from peerline.doctor.patient import IceServer
    from peerline.doctor.stun.url import parse_url

    name, colon, password = (arguments.user or "").partition(":")
    if arguments.user is not None and not (name and colon and password):
        raise ConfigError(f"--user {name!r} has no password", hint="Write NAME:PASSWORD.")
    urls = [parse_url(text) for text in arguments.turn]
    if any(url.is_turn for url in urls) and not name:
        raise ConfigError("a TURN server asks for a name and a password", hint="Give --user NAME:PASSWORD.")
    return tuple(IceServer(url, name, password) for url in urls)


def _token(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise ConfigError(f"{file}: {reason}") from error
    if not token:
        raise ConfigError(f"{file}: there is no token in it", hint="peerline token create --name doctor > FILE")
    return token


def _to_json(what: dict[str, Any]) -> str:
    return json.dumps(what, ensure_ascii=False, indent=2)
