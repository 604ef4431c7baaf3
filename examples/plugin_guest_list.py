"""A plugin that lets in who is on a list: peerline serve --plugin ./examples/plugin_guest_list.py

The list is the file guests.txt (PLUGIN_GUESTS names another one), a name a line; it is read anew for everybody.
"""

import asyncio
import os
from pathlib import Path

from peerline.plugins import Newcomer

GUESTS = Path(os.environ.get("PLUGIN_GUESTS", "guests.txt"))


async def authorise(newcomer: Newcomer) -> bool | str:
    """True is a yes; a text is a no with its reason. If the file is missing, this fails, and nobody comes in."""
    names = await asyncio.to_thread(GUESTS.read_text)
    if newcomer.u in {name.strip().lower() for name in names.splitlines()}:
        return True
    return f"{newcomer.n} is not on the list"
