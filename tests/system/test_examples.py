"""The examples that talk: run as a reader runs them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest

import peerline
from system.server_process import ServerProcess

EXAMPLES = Path(__file__).parents[2] / "examples"
WITHIN_S = 30


@asynccontextmanager
async def run(name: str, *arguments: str, cwd: Path) -> AsyncIterator[Process]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=PIPE, stderr=PIPE, env={**os.environ, "PEERLINE_DATA_DIR": str(cwd)}
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def printed(process: Process) -> str:
    async with asyncio.timeout(WITHIN_S):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out.decode()


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_loopback_says_hello(tmp_path: Path) -> None:
    async with run("loopback.py", cwd=tmp_path) as loopback:
        assert await printed(loopback) == "Hello Ann!\n"


def test_loopback_is_fifteen_lines() -> None:
    text = (EXAMPLES / "loopback.py").read_text()
    body = text.partition("async def main")[2].partition('if __name__ == "__main__"')[0]
    assert len([line for line in body.splitlines() if line.strip()]) <= 15


@pytest.mark.parametrize("size", [100, 16_384])
async def test_the_throughput_meter_measures(tmp_path: Path, size: int) -> None:
    async with run("throughput.py", "--size", str(size), "--seconds", "0.5", cwd=tmp_path) as meter:
        line = await printed(meter)
    found = re.fullmatch(rf"([\d.]+) MB/s, ([\d,]+) messages/s of {size} bytes\n", line)
    assert found is not None, line
    assert int(found[2].replace(",", "")) > 0


async def test_a_file_goes_by_a_code_word(shared: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    file = tmp_path / "holiday.bin"
    file.write_bytes(os.urandom(3_000_000))
    async with run("file_drop.py", "send", str(file), "--server", shared.url, cwd=tmp_path) as sender:
        assert sender.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            await sender.stdout.readline()
            code = (await sender.stdout.readline()).split()[3].decode()
        assert re.fullmatch(r"[a-z]{5}(-[a-z]{5}){2}", code)
        spoken = code.replace("-", " ").upper()
        arguments = ("receive", spoken, "--server", shared.url)
        async with run("file_drop.py", *arguments, cwd=tmp_path / "there") as receiver:
            await printed(receiver)
        assert "It has arrived" in await printed(sender)
    assert (tmp_path / "there" / "holiday.bin").read_bytes() == file.read_bytes()


async def test_who_does_not_know_the_code_word_gets_nothing(shared: ServerProcess, tmp_path: Path) -> None:
    drop = load("file_drop")
    secret = drop.Secret("lusab-tikof-mubad")
    file = tmp_path / "holiday.bin"
    file.write_bytes(b"secret")
    sending = asyncio.create_task(drop.send(shared.url, file, "lusab-tikof-mubad"))
    try:
        # The server knows both names: it may call itself by the receiver's.
        async with peerline.connect(shared.url, name=secret.receiver) as me:
            async with asyncio.timeout(WITHIN_S):
                people = await me.watch()
                while not any(one.n == secret.sender for one in people.values()):
                    await people.changed()
                async with await me.call(secret.sender) as call:
                    channel = await call.channel("proof").opened()
                    channel.send("0" * 64)
                    with pytest.raises(drop.WrongCodeError):
                        await sending
                    await call.ended()
                    assert not [file async for file in call.files]
    finally:
        sending.cancel()
