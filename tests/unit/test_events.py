"""Events as in the DOM: order, options, handlers, errors; and the W3C's exceptions."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from peerline.errors import AbortError, DOMException, InvalidStateError, PeerlineError, RangeError
from peerline.events import AbortController, AbortSignal, CustomEvent, Event, EventHandler, EventTarget, fire


class Door(EventTarget):
    """Something that events happen to."""

    onopen = EventHandler("open")
    onclose = EventHandler()


class Log(list[Any]):
    """What was called, in order."""

    def note(self, word: str) -> Callable[[Event], None]:
        return lambda _event: self.append(word)


def test_an_event_begins_with_the_values_of_its_dictionary_and_defaults() -> None:
    event = Event("open", {"bubbles": True, "unknown": 1})
    assert (event.type, event.bubbles, event.cancelable, event.composed) == ("open", True, False, False)
    assert (event.target, event.srcElement, event.currentTarget, event.eventPhase) == (None, None, None, Event.NONE)
    assert (event.defaultPrevented, event.returnValue, event.isTrusted, event.composedPath()) == (
        False,
        True,
        False,
        [],
    )
    assert event.timeStamp > 0
    assert Event("", cancelable=True).cancelable
    assert Event(None).type == "null"  # type: ignore[arg-type]
    assert CustomEvent("x", {"detail": 54, "cancelable": True}).detail == 54
    assert CustomEvent("x").detail is None


@pytest.mark.parametrize("make", [lambda: Event(), lambda: Event("x", 5), lambda: Event(b"x")])  # type: ignore
def test_an_event_without_a_type_or_with_a_wrong_dictionary_is_a_type_error(make: Callable[[], Event]) -> None:
    with pytest.raises(TypeError):
        make()


def test_listeners_run_in_the_order_in_which_they_were_added_capturing_ones_first() -> None:
    door, log = Door(), Log()
    door.addEventListener("open", log.note("first"))
    door.addEventListener("open", log.note("second"), False)
    door.addEventListener("open", log.note("capturing"), True)
    door.addEventListener("close", log.note("never"))
    assert door.dispatchEvent(Event("open")) is True
    assert log == ["capturing", "first", "second"]


def test_while_it_is_dispatched_an_event_knows_where_it_is() -> None:
    door, seen = Door(), Log()
    event = Event("open")
    door.addEventListener(
        "open", lambda e: seen.append((e is event, e.target, e.currentTarget, e.eventPhase, e.composedPath()))
    )
    door.dispatchEvent(event)
    assert seen == [(True, door, door, Event.AT_TARGET, [door])]
    assert (event.target, event.currentTarget, event.eventPhase, event.composedPath()) == (door, None, Event.NONE, [])


def test_the_same_listener_is_added_once_and_found_again_to_be_removed() -> None:
    door, log = Door(), Log()

    class Owner:
        def heard(self, event: Event) -> None:
            log.append("method")

    owner, listener = Owner(), log.note("function")
    for _ in range(2):
        door.addEventListener("open", listener)
        door.addEventListener("open", owner.heard)  # another object each time, and still the same method
    door.addEventListener("open", listener, {"capture": True})
    door.dispatchEvent(Event("open"))
    assert log == ["function", "function", "method"]
    door.removeEventListener("open", listener)
    door.removeEventListener("open", owner.heard)
    door.removeEventListener("open", log.note("never added"))
    log.clear()
    door.dispatchEvent(Event("open"))
    assert log == ["function"]
    door.removeEventListener("open", listener, capture=True)
    door.dispatchEvent(Event("open"))
    assert log == ["function"]


def test_two_callables_that_are_equal_are_still_two() -> None:
    class Equal:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

        def __call__(self, event: Event) -> None:
            log.append(self)

    door, log = Door(), Log()
    door.addEventListener("open", Equal())
    door.addEventListener("open", Equal())
    door.dispatchEvent(Event("open"))
    assert len(log) == 2


def test_once_means_once_even_if_the_listener_dispatches_the_same_event_type() -> None:
    door, log = Door(), Log()

    def listener(event: Event) -> None:
        log.append("once")
        door.dispatchEvent(Event("open"))

    door.addEventListener("open", listener, {"once": True})
    door.addEventListener("open", listener)
    door.dispatchEvent(Event("open"))
    door.dispatchEvent(Event("open"))
    assert log == ["once"]


def test_who_is_added_meanwhile_waits_and_who_is_removed_meanwhile_is_not_called() -> None:
    door, log = Door(), Log()
    late, gone = log.note("late"), log.note("gone")

    def change(event: Event) -> None:
        log.append("change")
        door.addEventListener("open", late)
        door.removeEventListener("open", gone)

    door.addEventListener("open", change)
    door.addEventListener("open", gone)
    door.dispatchEvent(Event("open"))
    assert log == ["change"]
    door.dispatchEvent(Event("open"))
    assert log == ["change", "change", "late"]


def test_stop_immediate_propagation_keeps_the_event_from_the_rest() -> None:
    door, log = Door(), Log()
    event = Event("open")

    def stop(event: Event) -> None:
        log.append("still")
        event.stopImmediatePropagation()

    door.addEventListener("open", lambda e: e.stopPropagation())
    door.addEventListener("open", stop)
    door.addEventListener("open", log.note("never"))
    door.dispatchEvent(event)
    assert log == ["still"]
    assert event.cancelBubble is False, "a new dispatch begins anew"
    event.stopPropagation()
    door.dispatchEvent(event)
    assert log == ["still"], "stopped before it began"


def test_a_capturing_listener_that_stops_propagation_is_the_last() -> None:
    door, log = Door(), Log()
    door.addEventListener("open", log.note("never"))
    door.addEventListener("open", lambda e: e.stopPropagation(), True)
    door.dispatchEvent(Event("open"))
    assert log == []


def test_prevent_default_works_for_cancelable_events_and_not_in_passive_listeners() -> None:
    door = Door()
    door.addEventListener("open", lambda e: e.preventDefault(), passive=True)
    assert door.dispatchEvent(Event("open", cancelable=True)) is True
    door.addEventListener("open", lambda e: e.preventDefault())
    assert door.dispatchEvent(Event("open")) is True
    event = Event("open", cancelable=True)
    assert door.dispatchEvent(event) is False
    assert (event.defaultPrevented, event.returnValue) == (True, False)
    event.returnValue = True
    assert event.defaultPrevented, "nothing takes it back"


def test_an_object_with_handle_event_is_looked_at_when_the_event_comes(caplog: pytest.LogCaptureFixture) -> None:
    class Listener:
        handleEvent: Any = None

    door, log, listener = Door(), Log(), Listener()
    door.addEventListener("open", listener)
    with caplog.at_level(logging.ERROR):
        door.dispatchEvent(Event("open"))
    assert "TypeError" in caplog.text
    listener.handleEvent = log.note("handled")
    door.dispatchEvent(Event("open"))
    assert log == ["handled"]


def test_what_can_never_be_a_listener_is_refused_and_none_is_ignored() -> None:
    door = Door()
    with pytest.raises(TypeError):
        door.addEventListener("open", "text")
    door.addEventListener("open", None)
    door.removeEventListener("open", None)
    assert door.dispatchEvent(Event("open"))


def test_an_exception_is_reported_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    door, log = Door(), Log()

    def fail(event: Event) -> None:
        raise ValueError("broken hinge")

    door.addEventListener("open", fail)
    door.addEventListener("open", log.note("second"))
    with caplog.at_level(logging.ERROR):
        assert door.dispatchEvent(Event("open"))
    assert log == ["second"]
    assert "broken hinge" in caplog.text
    assert "fail" in caplog.text


def test_an_event_in_flight_is_not_dispatched_again_but_one_that_has_landed_is() -> None:
    door, log = Door(), Log()

    def again(event: Event) -> None:
        with pytest.raises(InvalidStateError):
            door.dispatchEvent(event)
        log.append("refused")

    door.addEventListener("open", again)
    event = Event("open")
    door.dispatchEvent(event)
    door.dispatchEvent(event)
    assert log == ["refused", "refused"]
    with pytest.raises(TypeError):
        door.dispatchEvent("open")  # type: ignore[arg-type]


def test_init_event_makes_it_anew_but_not_in_flight() -> None:
    door, event = Door(), Event("open", cancelable=True)
    door.addEventListener("open", lambda e: e.initEvent("other", True))
    door.dispatchEvent(event)
    assert (event.type, event.bubbles) == ("open", False)
    event.preventDefault()
    event.initEvent("other", True)
    assert (event.type, event.bubbles, event.cancelable, event.defaultPrevented) == ("other", True, False, False)


def test_only_what_peerline_fires_is_trusted() -> None:
    door, seen = Door(), Log()
    door.addEventListener("open", lambda e: seen.append(e.isTrusted))
    event = Event("open")
    fire(door, event)
    door.dispatchEvent(event)
    assert seen == [True, False]


def test_a_handler_attribute_keeps_the_place_of_its_first_setting() -> None:
    door, log = Door(), Log()
    assert door.onopen is None
    door.onopen = log.note("never")
    door.addEventListener("open", log.note("second"))
    door.onopen = first = log.note("first")
    assert door.onopen is first
    door.dispatchEvent(Event("open"))
    assert log == ["first", "second"]


def test_a_handler_that_was_taken_away_comes_back_last() -> None:
    door, log = Door(), Log()
    door.onopen = log.note("never")
    door.addEventListener("open", log.note("first"))
    door.onopen = None
    door.onopen = log.note("second")
    door.dispatchEvent(Event("open"))
    assert log == ["first", "second"]


@pytest.mark.parametrize("value", [None, 5, "text", {}, object()])
def test_what_cannot_be_called_sets_a_handler_to_none(value: Any) -> None:
    door = Door()
    door.onopen = value
    assert door.onopen is None
    door.onopen = lambda event: None
    door.onopen = value
    assert door.onopen is None
    assert door.dispatchEvent(Event("open"))


def test_a_handler_that_is_changed_while_it_waits_is_called_as_it_is_then() -> None:
    door, log = Door(), Log()
    door.addEventListener("open", lambda e: setattr(door, "onopen", log.note("changed")))
    door.onopen = log.note("never")
    door.dispatchEvent(Event("open"))
    assert log == ["changed"]


def test_a_handler_that_returns_false_prevents_the_default() -> None:
    door = Door()
    door.onclose = lambda event: False
    assert door.dispatchEvent(Event("close", cancelable=True)) is False
    door.onclose = lambda event: 0
    assert door.dispatchEvent(Event("close", cancelable=True)) is True


def test_handlers_belong_to_one_object_and_one_event() -> None:
    door, other, log = Door(), Door(), Log()
    door.onopen = log.note("open")
    door.onclose = log.note("close")
    assert other.onopen is None
    door.dispatchEvent(Event("close"))
    assert log == ["close"]
    assert isinstance(Door.onopen, EventHandler)
    assert Door.onclose.type == "close"


def test_a_signal_removes_its_listeners_also_while_they_wait() -> None:
    door, log = Door(), Log()
    controller = AbortController()

    def end(event: Event) -> None:
        log.append("first")
        controller.abort()

    door.addEventListener("open", end, signal=controller.signal)
    door.addEventListener("open", log.note("never"), {"signal": controller.signal, "capture": False})
    door.dispatchEvent(Event("open"))
    door.dispatchEvent(Event("open"))
    door.addEventListener("open", log.note("never"), signal=controller.signal)
    door.dispatchEvent(Event("open"))
    assert log == ["first"]
    with pytest.raises(TypeError):
        door.addEventListener("open", log.note("never"), {"signal": None})


def test_a_signal_says_once_that_it_is_over_and_why() -> None:
    log = Log()
    controller = AbortController()
    signal = controller.signal
    signal.throwIfAborted()
    signal.onabort = log.note("abort")
    assert (signal.aborted, signal.reason) == (False, None)
    controller.abort()
    controller.abort("too late")
    assert log == ["abort"]
    assert isinstance(signal.reason, AbortError)
    with pytest.raises(AbortError):
        signal.throwIfAborted()
    assert AbortSignal.abort("enough").reason == "enough"


async def test_a_coroutine_function_starts_at_once_and_its_error_is_reported() -> None:
    door, log = Door(), Log()
    reported: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.set_result(context))

    async def listener(event: Event) -> None:
        log.append("starts")
        await asyncio.sleep(0)
        log.append("goes on")
        raise ValueError("broken hinge")

    door.onopen = listener
    door.addEventListener("open", log.note("second"))
    door.dispatchEvent(Event("open"))
    assert log == ["starts", "second"]
    assert str((await reported)["exception"]) == "broken hinge"
    assert log == ["starts", "second", "goes on"]


def test_without_a_loop_a_coroutine_function_cannot_be_a_handler(caplog: pytest.LogCaptureFixture) -> None:
    door = Door()

    async def listener(event: Event) -> None:
        raise AssertionError("never runs")

    door.onopen = listener
    with caplog.at_level(logging.ERROR):
        door.dispatchEvent(Event("open"))
    assert "no event loop" in caplog.text


# The exceptions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("IndexSizeError", 1), ("NotFoundError", 8), ("NotSupportedError", 9), ("InvalidStateError", 11),
        ("SyntaxError", 12), ("InvalidModificationError", 13), ("InvalidAccessError", 15), ("NetworkError", 19),
        ("AbortError", 20), ("TimeoutError", 23), ("OperationError", 0), ("NotAllowedError", 0), ("Homemade", 0),
    ],
)  # fmt: skip
def test_a_dom_exception_has_the_code_of_its_name_and_survives_pickling(name: str, code: int) -> None:
    error = DOMException("why", name)
    assert (error.name, error.code, error.message) == (name, code, "why")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.name, again.message) == (type(error), name, "why")


def test_each_name_has_a_class_that_catches_it() -> None:
    with pytest.raises(InvalidStateError):
        raise DOMException("closed", "InvalidStateError")
    assert issubclass(InvalidStateError, PeerlineError)
    assert (DOMException().name, DOMException().message) == ("Error", "")
    assert InvalidStateError("x").code == DOMException.INVALID_STATE_ERR
    assert issubclass(RangeError, ValueError)
