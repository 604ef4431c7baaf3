"""Dictionaries of the specifications: Mappings and objects at once (Web IDL, sections 2.7 and 3.2.17)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from peerline.webrtc.webidl import Converter

T = TypeVar("T")


class Member(Generic[T]):
    """One member: how it is converted, whether it is required, what stands for it if it is not given.

    A member without a default is absent then: the attribute is None, the key is not in the mapping.
    """

    def __init__(
        self, convert: Converter[T], *, default: Callable[[], T] | None = None, is_required: bool = False
    ) -> None:
        self.convert = convert
        self.default = default
        self.is_required = is_required
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Member[T]: ...
    @overload
    def __get__(self, instance: Dictionary, owner: type) -> T: ...
    def __get__(self, instance: Dictionary | None, owner: type) -> Any:
        return self if instance is None else instance._values.get(self.name)

    def __set__(self, instance: Dictionary, value: Any) -> None:
        instance[self.name] = value


class Dictionary(MutableMapping[str, Any]):
    """Made of a mapping, of another object that has the members, or of keywords; what is set is converted at once.

    In a mapping None is JavaScript's null, which is a value. As a keyword, and in a dataclass, it means "not given".
    Keys that are no members are ignored in a mapping; as keywords they are a TypeError.
    """

    _members: ClassVar[dict[str, Member[Any]]] = {}
    _values: dict[str, Any]

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Member)}
        cls._members = {**cls._members, **own}

    def __init__(self, init: Any = None, /, **members: Any) -> None:
        self._values = {}
        given = {**self._read(init), **{name: value for name, value in members.items() if value is not None}}
        for name in members:
            if name not in self._members:
                raise TypeError(f"{type(self).__name__} has no member {name!r}")
        for name, member in self._members.items():
            if name in given:
                self._values[name] = member.convert(given[name], name)
            elif member.is_required:
                raise TypeError(f"{type(self).__name__} needs the member {name!r}")
            elif member.default is not None:
                self._values[name] = member.default()

    @classmethod
    def of(cls, value: Any, what: str = "") -> Self:
        """A new one of whatever was given as an argument; of None an empty one. Raises TypeError."""
        return cls(value)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        member = self._members.get(key)
        if member is None:
            raise KeyError(f"{type(self).__name__} has no member {key!r}")
        self._values[key] = member.convert(value, key)

    def __delitem__(self, key: str) -> None:
        if self._members[key].is_required:
            raise TypeError(f"{type(self).__name__} needs the member {key!r}")
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"

    @classmethod
    def _read(cls, init: Any) -> Mapping[str, Any]:
        if init is None:
            return {}
        if isinstance(init, Mapping):
            return init
        if isinstance(init, str | bytes | bytearray | bool | int | float | list | tuple):
            raise TypeError(f"{cls.__name__} is made of a dictionary, not of {init!r}")
        missing = object()
        found = {name: getattr(init, name, missing) for name in cls._members}
        is_python = dataclasses.is_dataclass(init)
        found = {name: v for name, v in found.items() if v is not missing and not (is_python and v is None)}
        if not found:
            raise TypeError(f"{type(init).__name__} has none of the members of {cls.__name__}")
        return found
