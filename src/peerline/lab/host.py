"""A machine of the lab: programs run in it, sockets are opened in it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peerline.lab.namespace import Namespace

INTERFACE = "eth0"
_STOP_WITHIN_S = 5.0


class Host:
    """One machine. `Lab.host` and `Lan.host` make it."""

    def __init__(self, name: str, namespace: Namespace, addresses: Sequence[str], port: str) -> None:
        self.name = name
        self.namespace = namespace
        self.addresses = list(addresses)
        """Its own, which behind a NAT is not the one others see."""
        self.port = port
        """The other end of its cable, in the lab's switch."""

    @property
    def address(self) -> str:
        """Its first address."""
        return self.addresses[0]

    def command(self, *argv: str) -> list[str]:
        """`argv` as a command of this machine that runs in that one; for programs that start programs."""
        return self.namespace.command(*argv)

    def run(self, argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program to its end. Options as of subprocess.run; by default a failure raises and output is kept."""
        options = {"check": True, "capture_output": True, "text": True} | options
        done: subprocess.CompletedProcess[str] = subprocess.run(self.command(*argv), **options)
        return done

    async def exec(self, argv: Sequence[str]) -> str:
        """Run a program to its end without stopping the loop; return what it printed. A failure raises as in `run`."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*argv), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            out, err = await process.communicate()
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, list(argv), out.decode(), err.decode())
        return out.decode()

    def popen(self, argv: Sequence[str], **options: Any) -> Program:
        """Start a program. `with host.popen([...]) as program:` ends it, and so does the end of the lab."""
        return Program(self.command(*argv), **options)

    def socket(self, kind: int = socket.SOCK_DGRAM, port: int = 0, *, address: str | None = None) -> socket.socket:
        """A socket of this program that is in that machine, bound to its address; port 0 picks a free one."""
        with self.namespace.entered():
            made = socket.socket(socket.AF_INET, kind)
        try:
            made.bind((address or self.address, port))
        except OSError:
            made.close()
            raise
        return made

    def write_launcher(self, file: Path, program: str) -> Path:
        """Write a script that starts `program` in this machine, for tools that want the path of an executable."""
        file.write_text(f'#!/bin/sh\nexec ip netns exec {self.namespace.name} "{program}" "$@"\n')
        file.chmod(0o755)
        return file

    def __repr__(self) -> str:
        return f"<Host {self.name} {self.address}>"


class Program(subprocess.Popen[Any]):
    """A program that runs in a host. Leaving its `with` ends it: asked first, then made to."""

    def __exit__(self, *_: object) -> None:
        if self.poll() is None:
            self.terminate()
            try:
                self.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()
        super().__exit__(None, None, None)
