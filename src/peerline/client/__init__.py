"""A program that talks to people: signs in at a server, calls, is called, chats, sends files. See docs/flows/client.md.

async with peerline.connect("http://localhost:8080", name="Ann") as me:
    async with await me.call("Bob") as call:
        await call.send("Hello!")
"""

from peerline.client.call import Call, CallState
from peerline.client.chat import ChatMessage
from peerline.client.client import Client, IncomingCalls
from peerline.client.connecting import connect
from peerline.client.errors import CallOverError, SignedOutError, TransferError, UnreachableError
from peerline.client.file_receiving import IncomingFile
from peerline.client.people import People
from peerline.client.session import ClientState

__all__ = [
    "Call",
    "CallOverError",
    "CallState",
    "ChatMessage",
    "Client",
    "ClientState",
    "IncomingCalls",
    "IncomingFile",
    "People",
    "SignedOutError",
    "TransferError",
    "UnreachableError",
    "connect",
]
