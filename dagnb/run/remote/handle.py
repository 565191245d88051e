"""A value that stays where it was made: what of it travels, and how a call takes it along."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dagnb.errors import UncacheableValue
from dagnb.results import Deferred
from dagnb.run.call import Call
from dagnb.values.describe import describe
from dagnb.values.fingerprint import digest


class About(NamedTuple):
    """What is known of a value without having it.

    Attributes
    ----------
    digest : str or None
        None if none can be taken.
    text : str
        One line for people.
    nbytes : int
        What it takes where it is.
    made : str
        Names this one time that it was made, if nothing else does.
    """

    digest: str | None = None
    text: str = ""
    nbytes: int = 0
    made: str = ""

    @classmethod
    def of(cls, value: object, nbytes: int) -> About:
        """Look at a value, on the side that made it."""
        found = digest_of(value)
        return cls(found, describe(value), nbytes, "" if found else os.urandom(8).hex())


def digest_of(value: object) -> str | None:
    """Name a value, also one that is elsewhere; None if no digest can be taken."""
    if isinstance(value, Handle):
        return value.about.digest
    try:
        return digest(value)
    except UncacheableValue:
        return None


class Handle(Deferred):
    """Stands for a value of a backend's, which performs further calls where that is.

    A backend makes them of values that are large, gives them back as values in its reports, and
    takes them in calls. Everybody else loads the value, which fetches it.

    Attributes
    ----------
    about : About
    """

    __slots__ = ("about",)

    about: About

    def __repr__(self) -> str:
        size = f"{self.about.nbytes / 1e6:,.1f} MB"
        text = f"{self.about.text}, " if self.about.text else ""
        return f"<{text}{size} where it was made>"


@dataclass(frozen=True, slots=True)
class Taken:
    """Stands in a message for one of the handles that go along with it."""

    number: int


def without(call: Call, goes_along: Callable[[Handle], bool]) -> tuple[Call, list[Any]]:
    """Return a call with the values of handles, or with `Taken` for those that go along."""
    along: list[Handle] = []

    def take(value: object) -> object:
        if not isinstance(value, Deferred):
            return value
        if not isinstance(value, Handle) or not goes_along(value):
            return value.load()
        along.append(value)
        return Taken(len(along) - 1)

    arguments = [take(each) for each in call.arguments]
    keywords = {name: take(each) for name, each in (call.keywords or {}).items()}
    return call._replace(arguments=arguments, keywords=keywords or None), along


def put_in(values: Sequence[object], along: Sequence[Handle]) -> list[object]:
    """Return values, each `Taken` replaced by what it stands for."""
    return [along[each.number].load() if type(each) is Taken else each for each in values]


def unpacked(call: Call) -> Call:
    """Return a call with the values themselves, for who cannot take handles."""
    values = (*call.arguments, *(call.keywords or {}).values())
    if not any(isinstance(each, Deferred) for each in values):
        return call
    return without(call, lambda handle: False)[0]
