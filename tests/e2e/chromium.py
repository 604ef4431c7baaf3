"""The browser of the suite: a Chromium with a camera, a microphone and a screen that are not real."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, Playwright

CHROMIUM = os.environ.get("PEERLINE_TEST_CHROMIUM", "/usr/bin/chromium")

FLAGS = (
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Three cameras, so that one can change between them (the second is a depth camera, which has no picture).
    "--use-fake-device-for-media-stream=device-count=3,fps=10",
    "--use-fake-ui-for-media-stream",
)


async def launch(playwright: Playwright, *more: str, home: Path | None = None) -> Browser:
    """A new browser process; `home` has the certificates it trusts."""
    env: dict[str, str | float | bool] | None = {**os.environ, "HOME": str(home)} if home is not None else None
    return await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *more], env=env)
