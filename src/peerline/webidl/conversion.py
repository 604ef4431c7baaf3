"""Conversion of arguments as JavaScript bindings do it (Web IDL, section 3.2). `convert(value, what)` or TypeError."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from peerline.events.event import as_text

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Converter(Protocol[T_co]):
    """Makes a value of an IDL type; `what` names it in errors."""

    def __call__(self, value: Any, what: str, /) -> T_co: ...


def dom_string(value: Any, what: str) -> str:
    """DOMString: any text; numbers, booleans and None become text as in JavaScript."""
    try:
        return as_text(value)
    except TypeError:
        raise TypeError(f"{what} is a text, not {type(value).__name__}") from None


def usv_string(value: Any, what: str) -> str:
    """USVString: a text without lone surrogates, each of which becomes U+FFFD."""
    text = dom_string(value, what)
    if text.isascii():
        return text
    # UTF-16 joins the pairs that JavaScript would hold as two halves.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def boolean(value: Any, what: str) -> bool:
    """boolean: whatever counts as true is true."""
    return bool(value)


def enumeration(*values: str) -> Converter[str]:
    """One of these texts, nothing else."""

    def convert(value: Any, what: str) -> str:
        text = dom_string(value, what)
        if text not in values:
            raise TypeError(f"{what} is one of {', '.join(map(repr, values))}, not {text!r}")
        return text

    return convert


def integer(bits: int, *, is_signed: bool = False, enforce_range: bool = False, clamp: bool = False) -> Converter[int]:
    """An integer type. What does not fit is wrapped, or clamped, or a TypeError, as its attribute in the IDL says."""
    # Beyond 2^53 JavaScript has no exact integers, and Web IDL ends there (section 3.2.4.9).
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    high = min(high, (1 << 53) - 1)

    def convert(value: Any, what: str) -> int:
        number = _number(value, what)
        if isinstance(number, float) and not math.isfinite(number):
            if enforce_range:
                raise TypeError(f"{what} is an integer from {low} to {high}, not {number}")
            if not clamp or math.isnan(number):
                return 0
            return high if number > 0 else low
        if clamp:
            return min(max(round(number), low), high)
        whole = math.trunc(number)
        if low <= whole <= high:
            return whole
        if enforce_range:
            raise TypeError(f"{what} is an integer from {low} to {high}, not {whole}")
        wrapped = whole & ((1 << bits) - 1)
        return wrapped - (1 << bits) if is_signed and wrapped >> (bits - 1) else wrapped

    return convert


octet_enforced = integer(8, enforce_range=True)
unsigned_short = integer(16)
unsigned_short_enforced = integer(16, enforce_range=True)
long = integer(32, is_signed=True)
unsigned_long = integer(32)
unsigned_long_enforced = integer(32, enforce_range=True)
unsigned_long_long_enforced = integer(64, enforce_range=True)


def double(value: Any, what: str) -> float:
    """double: a finite number."""
    number = float(_number(value, what))
    if not math.isfinite(number):
        raise TypeError(f"{what} is a finite number, not {number}")
    return number


def nullable(convert: Converter[T]) -> Converter[T | None]:
    """The type, or None."""

    def either(value: Any, what: str) -> T | None:
        return None if value is None else convert(value, what)

    return either


def sequence(convert: Converter[T]) -> Converter[list[T]]:
    """sequence<T>: a new list of what an iterable gives. Texts, bytes and dictionaries are none."""

    def convert_all(value: Any, what: str) -> list[T]:
        if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Iterable):
            raise TypeError(f"{what} is a sequence, not {type(value).__name__}")
        return [convert(item, f"{what}[{index}]") for index, item in enumerate(value)]

    return convert_all


def interface(kind: type[T] | Callable[[], type[T]]) -> Converter[T]:
    """An object of this class. In place of a class that cannot be imported yet stands a function that gives it."""

    def convert(value: Any, what: str) -> T:
        wanted: type[T] = kind if isinstance(kind, type) else kind()
        if not isinstance(value, wanted):
            raise TypeError(f"{what} is an object of {wanted.__name__}, not {type(value).__name__}")
        return value

    return convert


def anything(value: Any, what: str) -> Any:
    """any: as it is."""
    return value


def _number(value: Any, what: str) -> int | float:
    """ToNumber of ECMAScript; what JavaScript makes NaN of is an error here."""
    if value is None:
        return 0
    if isinstance(value, float):
        return value
    try:
        return operator.index(value)
    except TypeError:
        pass
    try:
        return float(value.strip() or 0) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{what} is a number, not {value!r}") from None
