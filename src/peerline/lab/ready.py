"""Whether this machine can have a lab: Linux, root, and two commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

COMMANDS = {"ip": "iproute2", "nft": "nftables"}  # and the Debian package of each


def what_is_missing() -> str | None:
    """Why there can be no lab here, in words for people; None if there can."""
    if sys.platform != "linux":
        return f"the NAT lab is made of Linux network namespaces; this is {sys.platform}"
    if os.geteuid() != 0:
        return "the NAT lab needs root, to make network namespaces"
    packages = [package for command, package in COMMANDS.items() if shutil.which(command) is None]
    if packages:
        return f"the NAT lab needs {' and '.join(packages)} (apt-get install {' '.join(packages)})"
    # Root in a container may still lack the right. A namespace that nobody holds is gone with the process.
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        return f"the NAT lab may not make network namespaces here: {tried.stderr.strip()}"
    return None
