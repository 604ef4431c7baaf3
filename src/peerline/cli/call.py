"""`peerline call`: talk from a terminal, in text, with somebody on the page or at another terminal."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from peerline.cli.call_media import add_media_options, open_media
from peerline.cli.call_options import EXIT_CODES, add_options
from peerline.errors import ConfigError

if TYPE_CHECKING:
    from peerline.cli.call_screen import Screen
    from peerline.cli.call_typed import TypedLines
    from peerline.client import Call, Client


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb and its flags."""
    p = verbs.add_parser(
        "call", help="talk from a terminal with somebody on the page", description=__doc__,
        epilog="What you type is sent line by line, what they say is printed. The end of input (Ctrl-D) hangs up; with "
        f"--wait that counts only when you type. {EXIT_CODES}",
    )  # fmt: skip
    p.add_argument("name", metavar="NAME", nargs="?", help="whom to call; with --wait whose calls to take")
    add_options(p)
    add_media_options(p)
    p.add_argument("--wait", action="store_true", help="wait for a call and take it, instead of calling")
    p.add_argument(
        "--accept-files", type=Path, metavar="DIR", help="save all files that are sent here; otherwise you are asked"
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Talk; returns the exit code."""
    from peerline.cli.call_exit import run_signed_in

    async def work(me: Client, screen: Screen) -> None:
        following = asyncio.create_task(_follow(me, screen))
        try:
            await _talk(me, arguments, screen)
        finally:
            following.cancel()

    return run_signed_in(arguments, lambda: _check(arguments), work)


async def _talk(me: Client, arguments: argparse.Namespace, screen: Screen) -> None:
    from peerline.cli.call_talk import Talk
    from peerline.cli.call_typed import TypedLines

    lines = TypedLines()
    media = await open_media(arguments)
    try:
        if arguments.wait:
            call = await _wait(me, arguments, screen, lines)
            call.offered, call.on_connection = media.kinds, media.on_connection
        else:
            screen.note("calling", f"Calling {arguments.name}…", name=arguments.name)
            call = await me.call(arguments.name, media=media.kinds, on_connection=media.on_connection)
        hangs_up_at_end = lines.is_terminal or not arguments.wait
        await Talk(call, screen, lines, folder=arguments.accept_files, hangs_up_at_end=hangs_up_at_end).run()
    finally:
        media.close()


async def _wait(me: Client, arguments: argparse.Namespace, screen: Screen, lines: TypedLines) -> Call:
    """The first call that is to be taken. Raises SignedOutError."""
    from peerline.auth.names import parse_name
    from peerline.cli.call_screen import plain
    from peerline.client import SignedOutError

    wanted = parse_name(arguments.name)[0] if arguments.name is not None else None
    screen.note("waiting", f"Waiting for a call, as {plain(me.me.n)}.", name=me.me.n)
    asks = lines.is_terminal and not screen.as_json
    async for call in me.calls:
        screen.note("incoming", f"{plain(call.peer.n)} calls.", name=call.peer.n)
        if wanted is not None and call.peer.u != wanted:
            call.decline("busy")
        elif not asks or await _says_yes(call, screen, lines):
            return call
    why = await me.signed_out()
    raise SignedOutError(f"signed out: {why}", code=why)


async def _says_yes(call: Call, screen: Screen, lines: TypedLines) -> bool:
    """Ask until there is an answer, or nobody calls any more."""
    from peerline.cli.call_screen import plain

    over = asyncio.create_task(call.ended())
    try:
        while True:
            screen.ask(f"Talk with {plain(call.peer.n)}?")
            typed = asyncio.create_task(anext(lines, "n"))
            await asyncio.wait([typed, over], return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                typed.cancel()
                screen.note("missed", f"{plain(call.peer.n)} has given up.", name=call.peer.n)
                return False
            word = typed.result().strip().lower()
            if word in ("y", "yes"):
                return True
            if word in ("n", "no"):
                call.decline()
                return False
    finally:
        over.cancel()


async def _follow(me: Client, screen: Screen) -> None:
    """Say when the server is out of reach, and when it is back."""
    was_lost = False
    async for state in me.states():
        if state == "reconnecting":
            was_lost = True
            screen.note("server-lost", "The server is out of reach; trying again. A call goes on meanwhile.")
        elif state == "connected" and was_lost:
            screen.note("server-back", "The server is back.")


def _check(arguments: argparse.Namespace) -> None:
    if arguments.name is None and not arguments.wait:
        raise ConfigError("nobody to call", hint="Give a NAME, or --wait for a call.")
    folder = arguments.accept_files
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"{folder} is no folder", hint="Make it first.")
