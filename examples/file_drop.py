"""A file goes from one machine to another by a code word, over a server that both reach and neither has to trust.

    python file_drop.py send holiday.tar --server https://calls.example.org      prints lusab-tikof-mubad
    python file_drop.py receive lusab-tikof-mubad --server https://calls.example.org

The file goes peer to peer, encrypted. The server introduces the two, so it could put itself in between: therefore both
show, before a byte of the file flows, that they know the code word and see the same two certificates. Whoever does not
know it gets nothing; to guess it from what the server sees takes 2^47 times the work of one scrypt.
"""

import argparse
import asyncio
import hashlib
import hmac
import secrets
import sys
from pathlib import Path

import peerline
from peerline import RTCDataChannel, RTCPeerConnection
from peerline.client import Call
from peerline.errors import PeerlineError
from peerline.sdp import parse

WORDS = 3
PATIENCE_S = 30


class WrongCodeError(PeerlineError):
    """The other side does not know the code word, or somebody is in between."""

    code = "wrong-code"


def new_code() -> str:
    """48 random bits that can be said on the phone: 16 bits in each word of five letters."""
    return "-".join(map(_word, (secrets.randbits(16) for _ in range(WORDS))))


def _word(number: int) -> str:
    consonants, vowels = "bdfghjklmnprstvz", "aiou"
    return (
        consonants[number >> 12 & 15] + vowels[number >> 10 & 3] + consonants[number >> 6 & 15]
        + vowels[number >> 4 & 3] + consonants[number & 15]
    )  # fmt: skip


class Secret:
    """What both make of the code word: the names under which they find each other, and a key that nobody else has."""

    def __init__(self, code: str) -> None:
        spoken = "-".join(code.lower().replace("-", " ").split())
        made = hashlib.scrypt(spoken.encode(), salt=b"peerline file drop", n=1 << 14, r=8, p=1, dklen=48)
        self.sender = f"drop {made[:16].hex()}"
        self.receiver = f"drop for {made[:16].hex()}"
        self._key = made[16:]

    def proof(self, who: str, sender: str, receiver: str) -> str:
        """Of whoever is `who`, for a connection with these two certificates."""
        return hmac.new(self._key, "\n".join((who, sender, receiver)).encode(), "sha256").hexdigest()


async def send(url: str, file: Path, code: str) -> None:
    """Wait for whoever knows the code word, and send."""
    secret = await asyncio.to_thread(Secret, code)
    async with peerline.connect(url, name=secret.sender) as me:
        async for call in me.calls:
            if call.peer.n != secret.receiver:
                call.decline()
                continue
            async with call:
                channel = await anext(call.channels)
                await _prove(channel, secret, _pc(call), is_sender=True)
                await call.send_file(file)
                return


async def receive(url: str, folder: Path, code: str) -> Path:
    """Call whoever waits with the code word; returns where the file is."""
    secret = await asyncio.to_thread(Secret, code)
    async with peerline.connect(url, name=secret.receiver) as me, await me.call(secret.sender) as call:
        channel = await call.channel("proof").opened()
        await _prove(channel, secret, _pc(call), is_sender=False)
        file = await anext(call.files)
        return await file.save(folder)


def _pc(call: Call) -> RTCPeerConnection:
    assert call.pc is not None  # it is connected
    return call.pc


async def _prove(channel: RTCDataChannel, secret: Secret, pc: RTCPeerConnection, *, is_sender: bool) -> None:
    """Show that we know the code word, and see that the other side does. Raises WrongCodeError."""
    mine, theirs = (_fingerprint(one) for one in (pc.localDescription, pc.remoteDescription))
    sender, receiver = (mine, theirs) if is_sender else (theirs, mine)
    who, other = ("sender", "receiver") if is_sender else ("receiver", "sender")
    channel.send(secret.proof(who, sender, receiver))
    async with asyncio.timeout(PATIENCE_S):
        # Not onmessage: the other side may have spoken before we came to listen, and reading finds that, too.
        shown = await anext(aiter(channel), None)
    if not hmac.compare_digest(str(shown).encode(), secret.proof(other, sender, receiver).encode()):
        raise WrongCodeError("the other side does not know the code word, or somebody is in between")


def _fingerprint(description: peerline.RTCSessionDescription | None) -> str:
    """Of the certificate that DTLS has checked against this description."""
    assert description is not None
    parsed = parse(description.sdp)
    found = {str(one) for media in parsed.media for one in parsed.fingerprints_of(media)}
    return " ".join(sorted(found)).upper()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Send a file by a code word.")
    parser.add_argument("act", choices=("send", "receive"))
    parser.add_argument("what", metavar="FILE|CODE")
    parser.add_argument("--server", metavar="URL", default="http://localhost:8080")
    arguments = parser.parse_args()
    try:
        if arguments.act == "send":
            code = new_code()
            print(
                f"On the other machine:\n  python file_drop.py receive {code} --server {arguments.server}", flush=True
            )
            asyncio.run(send(arguments.server, Path(arguments.what), code))
            print("It has arrived, checksum verified.")
        else:
            print(asyncio.run(receive(arguments.server, Path.cwd(), arguments.what)))
    except KeyboardInterrupt:
        sys.exit(130)
    except PeerlineError as error:
        sys.exit(f"{error.message} [{error.code}]")


if __name__ == "__main__":
    main()
