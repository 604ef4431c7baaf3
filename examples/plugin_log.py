"""A plugin that keeps a log of calls: peerline serve --plugin ./examples/plugin_log.py

It appends one line for each call that is over to the file calls.log (PLUGIN_LOG names another one).
"""

import json
import os
from pathlib import Path

from peerline.plugins import CallNews

LOG = Path(os.environ.get("PLUGIN_LOG", "calls.log"))


def call_ended(call: CallNews) -> None:
    """Who called whom, for how long, and why it ended."""
    talked_s = (call.ended - call.answered) / 1000 if call.ended and call.answered else 0
    line = {"from": call.caller, "to": call.callee, "talked_s": talked_s, "why": call.why}
    with LOG.open("a") as file:
        file.write(json.dumps(line) + "\n")
