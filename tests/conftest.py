"""Every test begins without the settings that this machine's environment may hold."""

from __future__ import annotations

import os

for name in [name for name in os.environ if name.startswith("PEERLINE_") and "TEST" not in name]:
    del os.environ[name]
