"""Descriptions and candidates that are broken in every way: nothing but the documented errors may come of them.

`make fuzz-sdp` runs this for SECONDS=600; `SEED=…` repeats one round. Each round is a seed.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import inspect
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

from jsep.sides import add, side, stable_facts
from peerline import RTCIceCandidate, RTCPeerConnection
from peerline.errors import InvalidAccessError, InvalidStateError, OperationError
from peerline.jsep import SdpType
from peerline.sdp import (
    Candidate,
    Description,
    SdpError,
    parse,
    prefer_codecs,
    remove_codec,
    set_bandwidth,
    set_direction,
    set_session_bandwidth,
    strip_candidates,
)
from peerline.sdp.explain import explain
from peerline.webrtc.rtc_error import RTCError
from property.sdp_noise import TEXTS, noisy_candidate, noisy_description

__all__ = ["CHECKS", "run"]

# What their docstrings name.
_SET_REMOTE = (InvalidStateError, InvalidAccessError, OperationError, RTCError)
_ADD_CANDIDATE = (TypeError, InvalidStateError, OperationError)
_JSEP = (SdpError, InvalidStateError, InvalidAccessError, OperationError)


async def parsing(random: Random) -> str:
    """`parse` raises SdpError with a place in the text; or the text comes back, all can be read, and be edited."""
    text = noisy_description(random)
    explain(text.split("\r\n"), random.choice(("en", "zh")))
    try:
        description = parse(text)
    except SdpError as error:
        _check_place(error, text)
        return "refused"
    assert str(description) == text
    _read(description)
    for edited in _edits(description):
        assert str(parse(str(edited))) == str(edited)
    return "taken"


async def parsing_bytes(random: Random) -> str:
    """The same of bytes, which may be no text."""
    data = bytearray(noisy_description(random).encode(errors="surrogatepass"))
    for _ in range(random.randint(0, 2)):
        data[random.randrange(len(data))] = random.randrange(256)
    try:
        description = parse(bytes(data))
    except SdpError:
        return "refused"
    assert str(description).encode() == data
    return "taken"


async def candidates(random: Random) -> str:
    """`Candidate.parse` raises SdpError or gives the line again; `RTCIceCandidate` takes every line there is."""
    line = noisy_candidate(random)
    made = RTCIceCandidate(candidate=line, sdpMLineIndex=0)
    _read(made)
    assert made.toJSON()["candidate"] == line
    try:
        parsed = Candidate.parse(line)
    except SdpError:
        assert made.foundation is None
        return "refused"
    _read(parsed)
    assert Candidate.parse(str(parsed)) == parsed
    assert not set("\0\r\n") & set(str(parsed).encode().decode())
    return "taken"


async def negotiating(random: Random) -> str:
    """The state machine refuses with a documented error and changes nothing; or it takes it, and can answer."""
    text, kind = noisy_description(random), random.choice(_KINDS)
    session = side(random.randrange(100))
    if kind == "answer":
        add(session, random.choice(("audio", "video")))
        session.set_local("offer")
    before = stable_facts(session)
    try:
        session.set_remote(kind, text)
    except _JSEP:
        assert stable_facts(session) == before
        return "refused"
    if kind == "offer":
        parse(session.create_answer())
        session.set_local("answer")
    return "taken"


async def connecting(random: Random) -> str:
    """`setRemoteDescription` and `addIceCandidate` reject as their docstrings say. What they took is answered."""
    pc, kind = RTCPeerConnection(), random.choice(_KINDS)
    try:
        if kind == "answer":
            pc.createDataChannel("x")
            pc.addTransceiver("video")
            await pc.setLocalDescription()
        # Half of all rounds are about candidates.
        text = random.choice(TEXTS) if random.random() < 0.5 else noisy_description(random)
        try:
            await pc.setRemoteDescription(type=kind, sdp=text)
        except _SET_REMOTE as error:
            _check_refusal(error, pc)
        if pc.signalingState == "have-remote-offer":
            await pc.setLocalDescription()
        for _ in range(4):
            mid, index = random.choice(("0", "1", "x", "", None)), random.choice((0, 1, 65535, None))
            init = {"candidate": noisy_candidate(random), "sdpMid": mid, "sdpMLineIndex": index}
            if random.random() < 0.2:
                init["usernameFragment"] = random.choice(("", "abcd", "x" * 300))
            try:
                await pc.addIceCandidate(init)
            except _ADD_CANDIDATE:
                continue
        return "taken" if pc.remoteDescription is not None else "refused"
    finally:
        pc.close()


_KINDS: tuple[SdpType, ...] = ("offer", "answer")
CHECKS: tuple[Callable[[Random], Awaitable[str]], ...] = (parsing, parsing_bytes, candidates, negotiating, connecting)


def _read(shown: object) -> None:
    """Every property, of its parts too: they promise not to fail."""
    for name, _ in inspect.getmembers(type(shown), lambda member: isinstance(member, property)):
        getattr(shown, name)
    if isinstance(shown, Description):
        _read(shown.session)
        for media in shown.media:
            _read(media)
    repr(shown)


def _check_place(error: SdpError, text: str) -> None:
    assert error.line is not None
    assert 1 <= error.line <= text.count("\n") + 2
    assert error.offset >= 0
    assert error.rfc.startswith(("RFC ", "draft-"))


def _check_refusal(error: Exception, pc: RTCPeerConnection) -> None:
    assert pc.remoteDescription is None
    assert not isinstance(error, RTCError) or error.errorDetail == "sdp-syntax-error"


def _edits(description: Description) -> list[Description]:
    return [
        set_bandwidth(description, "audio", 32_000),
        set_session_bandwidth(description, None),
        prefer_codecs(description, "video", ["VP9", "opus"]),
        remove_codec(description, "audio", "opus"),
        set_direction(description, None, "recvonly"),
        strip_candidates(description),
    ]


async def run(seed: int) -> Counter[str]:
    """One round: each check once. Says how often what came of it. The error of a check names the seed.

    An error that nobody awaited is found when its task is collected: up to a few rounds after its own.
    """
    came: Counter[str] = Counter()
    unawaited: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: unawaited.append(context.get("exception") or RuntimeError(context["message"]))
    )
    for check in CHECKS:
        try:
            came[f"{check.__name__} {await check(Random(f'{check.__name__}{seed}'))}"] += 1
            if unawaited:
                raise unawaited[0]
        except Exception as error:
            error.add_note(f"{check.__name__} of seed {seed}: make fuzz-sdp SEED={seed}")
            raise
    return came


async def _main(seconds: float, seed: int | None) -> None:
    if seed is not None:
        print(dict(await run(seed)))
        return
    # A round takes milliseconds. What hangs is shown.
    faulthandler.enable()
    start, number, came = time.monotonic(), time.time_ns() % 2**32, Counter[str]()
    shown = start
    while time.monotonic() < start + seconds:
        faulthandler.dump_traceback_later(60, exit=True)
        came += await run(number)
        number += 1
        if time.monotonic() > shown + 60:
            shown = time.monotonic()
            print(f"{shown - start:.0f} s: {dict(sorted(came.items()))}", flush=True)
    faulthandler.cancel_dump_traceback_later()
    print(f"Done: {sum(came.values())} runs in {seconds:.0f} s without a finding: {dict(sorted(came.items()))}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=600)
    arguments.add_argument("--seed", type=int)
    given = arguments.parse_args()
    sys.exit(asyncio.run(_main(given.seconds, given.seed)))
