"""Log lines for people or for machines. Never in one: descriptions, candidates, addresses, tokens, keys."""

from __future__ import annotations

import json
import logging
import sys
import time


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def set_up_logs(*, as_json: bool) -> None:
    """Everything from `info` up goes to standard error; each relay of the TURN server only into lines for machines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Json() if as_json else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("peerline").setLevel(logging.INFO)
    logging.getLogger("peerline.turn.relays").setLevel(logging.INFO if as_json else logging.WARNING)
    # uvicorn's own lines say nothing ours do not, and its access log holds addresses and session ids.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "picows", "asyncio"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("uvicorn.access").disabled = True
