"""The one engine of a loop, which all peer connections on it share."""

from __future__ import annotations

import asyncio
import weakref

from peerline.engine.engine import Engine
from peerline.errors import LoopError

_engines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Engine] = weakref.WeakKeyDictionary()


def shared_engine() -> Engine:
    """That of the running loop; made when first asked for, ended when the loop is.

    Raises LoopError if no loop runs in this thread, OSError if the system has no thread or descriptor left.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise LoopError("no event loop runs in this thread", hint="Do this inside asyncio.run(…).") from None
    engine = _engines.get(loop)
    if engine is None or engine.is_closed:
        for other in [other for other in _engines if other.is_closed()]:
            _engines.pop(other).close()
        engine = Engine()
        engine.attach(loop)
        _engines[loop] = engine
    return engine
