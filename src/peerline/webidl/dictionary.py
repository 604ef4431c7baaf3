"""Dictionaries of the specifications: dicts and objects at once (Web IDL, sections 2.7 and 3.2.17)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, overload

from peerline.webidl.conversion import Converter

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
        return self if instance is None else instance.get(self.name)

    def __set__(self, instance: Dictionary, value: Any) -> None:
        instance[self.name] = value


class Dictionary(dict[str, Any]):
    """Made of a mapping, of another object that has the members, or of keywords; what is set is converted at once.

    In a mapping None is JavaScript's null, which is a value. As a keyword, and in a dataclass, it means "not given".
    Keys that are no members are ignored in a mapping; as keywords they are a TypeError. `json.dumps` takes it.
    """

    _members: ClassVar[dict[str, Member[Any]]] = {}

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Member)}
        cls._members = {**cls._members, **own}

    def __init__(self, init: Any = None, /, **members: Any) -> None:
        super().__init__()
        known, given = self._members, self._read(init)
        if members:
            given = dict(given)
            for name, value in members.items():
                if name not in known:
                    raise TypeError(f"{type(self).__name__} has no member {name!r}")
                if value is not None:
                    given[name] = value
        for name, member in known.items():
            if name in given:
                super().__setitem__(name, member.convert(given[name], name))
            elif member.is_required:
                raise TypeError(f"{type(self).__name__} needs the member {name!r}")
            elif member.default is not None:
                super().__setitem__(name, member.default())

    def __setitem__(self, key: str, value: Any) -> None:
        member = self._members.get(key)
        if member is None:
            raise KeyError(f"{type(self).__name__} has no member {key!r}")
        super().__setitem__(key, member.convert(value, key))

    def update(self, *given: Any, **members: Any) -> None:
        """As a dict's, with conversion."""
        for key, value in dict(*given, **members).items():
            self[key] = value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As a dict's, with conversion."""
        if key not in self:
            self[key] = default
        return self[key]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.items())})"

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
