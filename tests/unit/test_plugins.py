"""Plugins: found as `require` finds them, run once, told what happens, unable to break anything."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from peerline.config import Config, load_config
from peerline.errors import RefusedError
from peerline.plugins import CallNews, Newcomer, PluginError, Plugins, require
from peerline.server.dispatch import Dispatcher
from peerline.server.hub import Hub
from peerline.store import MemoryStore
from property.walking import UNLIMITED, Device, World

EXAMPLES = Path(__file__).parents[2] / "examples"
ANN = Newcomer("ann", "Ann")
CALL = CallNews("01" + "A" * 24, "ann", "bob", "av", 1, 2, 3, "hangup")
TOKEN = "01" + "A" * 24


def plugins(*hooks: dict[str, Any], timeout_s: float = 5.0) -> Plugins:
    modules: Any = [(f"plugin{i}", SimpleNamespace(**each)) for i, each in enumerate(hooks)]
    return Plugins(modules, timeout_s=timeout_s)


# Finding them ------------------------------------------------------------------------------------------


def test_a_plugin_is_run_once_whatever_path_leads_to_it(tmp_path: Path) -> None:
    (tmp_path / "once.py").write_text("runs = []\nruns.append(1)\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__init__.py").write_text(
        "from peerline.plugins import require\nonce = require('../once')\n"
    )
    first = require("./once", base=tmp_path)
    assert require("once.py", base=tmp_path) is first
    assert require(str(tmp_path / "folder" / ".." / "once.py")) is first
    assert require("./folder", base=tmp_path).once is first
    assert first.runs == [1]


def test_a_cycle_sees_what_is_there_so_far(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from peerline.plugins import require\nearly = 1\nb = require('./b')\nlate = 2\n")
    (tmp_path / "b.py").write_text(
        "from peerline.plugins import require\na = require('./a')\nseen = (a.early, hasattr(a, 'late'))\n"
    )
    a = require("./a", base=tmp_path)
    assert a.b.seen == (1, False)
    assert a.b.a is a
    assert a.b.a.late == 2


def test_an_installed_module_is_found_by_its_name() -> None:
    assert require("json") is json


def test_what_is_not_there_is_told_with_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"\./none") as missing:
        require("./none", base=tmp_path)
    for tried in ("none", "none.py", "none/__init__.py"):
        assert str(tmp_path / tried) in (missing.value.hint or "")
    with pytest.raises(PluginError, match="no_such_module") as absent:
        require("no_such_module")
    assert "./no_such_module.py" in (absent.value.hint or "")


@pytest.mark.parametrize("text", ["1 / 0\n", "import no_such_module\n", "def (\n"])
def test_a_plugin_that_fails_is_named_with_the_line_and_is_run_again_next_time(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(PluginError, match="bad"):
        require("./bad", base=tmp_path)
    path.write_text("good = 'mended at last'\n")
    assert require("./bad", base=tmp_path).good == "mended at last"


def test_paths_in_a_file_count_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "peerline.toml"
    file.write_text("plugins = ['./log.py', 'module']\n")
    assert load_config(file, {}).plugins == (str(tmp_path / "log.py"), "module")
    assert load_config(file, {}, {"plugins": ["./other.py"]}).plugins == ("./other.py",)


# Asking them -------------------------------------------------------------------------------------------


async def yes(newcomer: Newcomer) -> bool:
    await asyncio.sleep(0)
    return True


async def never(newcomer: Newcomer) -> bool:
    await asyncio.Event().wait()
    return True


def broken(news: Any) -> bool:
    raise ValueError("broken plugin")


async def test_all_must_agree_and_no_opinion_is_no_objection() -> None:
    await plugins({"authorise": yes}, {"authorise": lambda newcomer: None}, {}).authorise(ANN)
    with pytest.raises(RefusedError, match="not today") as refused:
        await plugins({"authorise": yes}, {"authorise": lambda newcomer: "not today"}).authorise(ANN)
    assert refused.value.code == "forbidden"


@pytest.mark.parametrize("hook", [broken, never, lambda newcomer: False, lambda newcomer: 1, lambda: True])
async def test_whatever_is_no_clear_yes_is_a_no(hook: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RefusedError) as refused, caplog.at_level(logging.ERROR):
        await plugins({"authorise": hook}, timeout_s=0.2).authorise(ANN)
    assert refused.value.code == "forbidden"
    assert "broken plugin" not in refused.value.message
    if hook in (broken, never):
        assert "plugin0" in caplog.text


async def test_a_hook_that_blocks_its_thread_does_not_stop_the_loop() -> None:
    release = threading.Event()
    told: list[str] = []

    def block(call: CallNews) -> None:
        release.wait(30)
        told.append("blocking")

    heard = asyncio.Event()

    async def other(call: CallNews) -> None:
        told.append("other")
        heard.set()

    both = plugins({"call_ended": block}, {"call_ended": other})
    both.call_ended(CALL)
    await heard.wait()
    release.set()
    await both.told()
    assert told == ["other", "blocking"]


async def test_news_come_in_order_and_an_error_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    async def started(call: CallNews) -> None:
        await asyncio.sleep(0.01)
        told.append("started")

    both = plugins({"call_started": started, "call_ended": lambda call: told.append("ended")}, {"call_ended": broken})
    both.call_started(CALL)
    both.call_ended(CALL)
    with caplog.at_level(logging.ERROR):
        await both.told()
    assert told == ["started", "ended"]
    assert "plugin1" in caplog.text
    assert "broken plugin" in caplog.text


# In the server -----------------------------------------------------------------------------------------


async def served(world: World, told: Plugins) -> list[Device]:
    """Ann and Bob, signed in where these plugins are."""
    world.hub = Hub(
        Config(limits=UNLIMITED), MemoryStore(), plugins=told,
        clock=lambda: world.now, wall=lambda: 1.8e9 + world.now,
    )  # fmt: skip
    world.dispatcher = Dispatcher(world.hub)
    people = [Device(world, name, "1") for name in ("Ann", "Bob")]
    for person in people:
        await person.sign_in(resume=False)
    return people


async def test_a_call_is_told_of_from_its_start_to_its_end() -> None:
    heard: list[Any] = []
    hooks = {name: lambda news: heard.append(news) for name in ("call_started", "call_ended", "message")}
    told = plugins(hooks)
    ann, bob = await served(World(), told)
    ann.say("call", TOKEN, to="u/bob", media=["a"])
    bob.say("accept", TOKEN, media=["a"])
    ann.say("info", TOKEN, k="secret words")
    bob.say("end", TOKEN, why="hangup")
    await told.told()
    started, message, ended = heard
    assert (started.caller, started.callee, started.media, started.ended) == ("ann", "bob", "a", None)
    assert (message.t, message.sender, message.receiver) == ("info", "ann", "bob")
    assert json.loads(message.body) == {"k": "secret words"}
    assert "secret" not in repr(message)
    assert (ended.call, ended.why) == (TOKEN, "hangup")
    assert ended.answered == started.answered


async def test_a_broken_plugin_breaks_no_call() -> None:
    told = plugins({"call_started": broken, "call_ended": broken, "message": broken})
    ann, bob = await served(World(), told)
    ann.say("call", TOKEN, to="u/bob", media=["a"])
    bob.say("accept", TOKEN, media=["a"])
    ann.say("info", TOKEN, k=1)
    assert len(bob.of_call("info", TOKEN)) == 1
    await told.told()
    bob.say("end", TOKEN, why="hangup")
    assert [m["d"]["why"] for m in ann.of_call("end", TOKEN)] == ["hangup"]
    await told.told()


async def test_who_is_refused_is_not_signed_in() -> None:
    world = World()
    told = plugins({"authorise": lambda newcomer: newcomer.u == "ann" or f"no room for {newcomer.n}"})
    with pytest.raises(RefusedError, match="no room for Bob"):
        await served(world, told)
    assert [session.person.u for session in world.hub.sessions.values()] == ["ann"]


async def test_the_examples_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUGIN_LOG", str(tmp_path / "calls.log"))
    monkeypatch.setenv("PLUGIN_GUESTS", str(tmp_path / "guests.txt"))
    names = ["./plugin_log.py", "./plugin_guest_list.py"]
    told = Plugins.load(names, base=EXAMPLES, timeout_s=5)
    with pytest.raises(RefusedError):
        await told.authorise(ANN)  # there is no list
    (tmp_path / "guests.txt").write_text("Ann\nbob\n")
    await told.authorise(ANN)
    with pytest.raises(RefusedError, match="Eve is not on the list"):
        await told.authorise(Newcomer("eve", "Eve"))
    told.call_ended(CALL)
    await told.told()
    line = json.loads((tmp_path / "calls.log").read_text())
    assert line == {"from": "ann", "to": "bob", "talked_s": 0.001, "why": "hangup"}
    assert sys.modules[require("./plugin_log", base=EXAMPLES).__name__] is require("./plugin_log", base=EXAMPLES)
