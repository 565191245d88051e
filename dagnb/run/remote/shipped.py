"""A large value that came from another process, and is not unpacked before somebody looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagnb.errors import NotSendableError
from dagnb.results import Deferred
from dagnb.run.call import Call
from dagnb.run.remote.channel import Bytes, SharedFile
from dagnb.run.remote.travel import unpack

_NOTHING = object()


class Shipped(Deferred):
    """A packed value with the shared files of its buffers; other processes are sent those.

    Parameters
    ----------
    data : bytes
    files : list of SharedFile
    buffers : sequence of memoryview
        Those that are in no file.
    """

    __slots__ = ("_buffers", "_value", "data", "files")

    def __init__(
        self, data: Bytes, files: list[SharedFile], buffers: Sequence[memoryview] = ()
    ) -> None:
        self.data, self.files, self._buffers = data, files, buffers
        self._value: object = _NOTHING

    def load(self) -> object:
        """Return the value; it is unpacked once.

        Raises
        ------
        NotSendableError
            It cannot be made again here.
        """
        if self._value is _NOTHING:
            parts = [part for file in self.files for part in file.parts()]
            try:
                (self._value,) = unpack(self.data, [*self._buffers, *parts])
            except Exception as error:  # whatever making a value of the user's again raises
                text = f"its value came back from another process and is broken: {error}"
                raise NotSendableError(text) from error
        return self._value

    def __repr__(self) -> str:
        size = sum(file.size for file in self.files)
        return f"<{size / 1e6:,.0f} MB from another process, not unpacked yet>"


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands for a shipped value in a message that its files are sent with."""

    data: Bytes
    first: int
    count: int


def referenced(call: Call) -> tuple[Call, list[SharedFile]]:
    """Return a call with references for shipped values, and the files that they refer to."""
    files: list[SharedFile] = []

    def refer(value: object) -> object:
        if not isinstance(value, Shipped):
            return value
        files.extend(value.files)
        return Reference(value.data, len(files) - len(value.files), len(value.files))

    arguments = [refer(each) for each in call.arguments]
    keywords = {name: refer(each) for name, each in (call.keywords or {}).items()}
    return call._replace(arguments=arguments, keywords=keywords or None), files


def resolved(value: object, files: Sequence[SharedFile]) -> object:
    """Return what a reference stands for; anything else as it is."""
    if type(value) is not Reference:
        return value
    last = value.first + value.count
    return Shipped(value.data, list(files[value.first : last])).load()


def unpacked(call: Call) -> Call:
    """Return a call with the values themselves, for who cannot take shipped ones."""
    keywords = call.keywords or {}
    if not any(isinstance(each, Deferred) for each in [*call.arguments, *keywords.values()]):
        return call
    return call._replace(
        arguments=[_loaded(each) for each in call.arguments],
        keywords={name: _loaded(each) for name, each in keywords.items()} or None,
    )


def _loaded(value: object) -> object:
    return value.load() if isinstance(value, Deferred) else value
