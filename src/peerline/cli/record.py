"""`peerline record`: call somebody, and write what they say and show into a file."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peerline.cli.call_options import EXIT_CODES, add_options
from peerline.errors import ConfigError

if TYPE_CHECKING:
    from peerline.cli.call_screen import Screen
    from peerline.client import Call, Client

_NOTICE = "This call is being recorded. / 本次通话正在录制。"
_TOLD_EACH_S = 1.0


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb and its flags."""
    p = verbs.add_parser(
        "record", help="call somebody and record them", description=__doc__,
        epilog="The kind of file follows its name: .webm .mkv .mp4 .ogg .wav. What comes is written as it was encoded, "
        f"where the file can hold it. Whoever is called is told. Ctrl-C ends it. {EXIT_CODES}",
    )  # fmt: skip
    p.add_argument("name", metavar="NAME", help="whom to call")
    p.add_argument("file", metavar="FILE", type=Path, help="where to write")
    add_options(p)
    p.add_argument("--seconds", type=float, metavar="N", help="end after so long")
    p.add_argument("--force", action="store_true", help="write over a file that is there")
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Record; returns the exit code."""
    from peerline.cli.call_exit import run_signed_in

    return run_signed_in(arguments, lambda: _check(arguments), lambda me, screen: _record(me, arguments, screen))


async def _record(me: Client, arguments: argparse.Namespace, screen: Screen) -> None:
    from peerline.media.sinks import FileSink

    sink = FileSink(arguments.file)
    kinds = ("audio",) if arguments.file.suffix.lower() in (".wav", ".ogg", ".opus") else ("audio", "video")

    def prepare(pc: Any) -> None:
        transceivers = [pc.addTransceiver(kind, direction="recvonly") for kind in kinds]
        # A connection that is made anew after a reload of the page goes on in another file, which nobody has asked for.
        if not sink.is_recording and sink.duration_s == 0:
            for transceiver in transceivers:
                sink.add_track(transceiver.receiver.track)
            sink.start()

    screen.note("calling", f"Calling {arguments.name}…", name=arguments.name)
    call = await me.call(arguments.name, media=[kind[0] for kind in kinds], on_connection=prepare)
    try:
        async with call:
            await call.send(_NOTICE)
            screen.note("recording", f"Recording {call.peer.n} into {arguments.file}. Ctrl-C ends it.")
            await _until_over(call, sink, arguments, screen)
    finally:
        if sink.is_recording:
            await sink.stop()
    words = f"{arguments.file}: {sink.duration_s:.1f} s, {sink.bytes_written / 1e6:.1f} MB."
    screen.note("recorded", words, path=str(arguments.file), seconds=sink.duration_s, bytes=sink.bytes_written)


async def _until_over(call: Call, sink: Any, arguments: argparse.Namespace, screen: Screen) -> None:
    enough = asyncio.Event()
    ends = [asyncio.ensure_future(call.ended()), asyncio.ensure_future(enough.wait())]
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGINT, enough.set)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(arguments.seconds):
                while sink.error is None and not any(end.done() for end in ends):
                    await asyncio.wait(ends, timeout=_TOLD_EACH_S, return_when=asyncio.FIRST_COMPLETED)
                    screen.status(f"● {sink.duration_s:.0f} s, {sink.bytes_written / 1e6:.1f} MB")
    finally:
        if sys.platform != "win32":
            loop.remove_signal_handler(signal.SIGINT)
        for end in ends:
            end.cancel()


def _check(arguments: argparse.Namespace) -> None:
    if arguments.file.exists() and not arguments.force:
        raise ConfigError(f"{arguments.file} is there already", hint="Give another name, or --force.")
    if not arguments.file.parent.is_dir():
        raise ConfigError(f"{arguments.file.parent} is no folder", hint="Make it first.")
    if arguments.seconds is not None and arguments.seconds <= 0:
        raise ConfigError("--seconds is greater than 0")
