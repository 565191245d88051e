"""A large value that came from another process, and is not unpacked before somebody looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from pickle import PickleBuffer
from typing import Any

from dagnb.errors import NotSendableError
from dagnb.run.remote.channel import Bytes, SharedFile
from dagnb.run.remote.handle import About, Handle
from dagnb.run.remote.travel import unpack

_NOTHING = object()


class Shipped(Handle):
    """A packed value with the shared files of its buffers; other processes are sent those.

    Parameters
    ----------
    data : bytes
    files : list of SharedFile
    buffers : sequence of memoryview
        Those that are in no file.
    about : About
    """

    __slots__ = ("_buffers", "_value", "data", "files")

    def __init__(
        self,
        data: Bytes,
        files: list[SharedFile],
        buffers: Sequence[memoryview] = (),
        about: About | None = None,
    ) -> None:
        self.data, self.files, self._buffers = data, files, buffers
        self.about = about or About(nbytes=self.size)
        self._value: object = _NOTHING

    @property
    def size(self) -> int:
        """How many bytes it takes, packed."""
        return len(self.data) + sum(file.size for file in self.files)

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

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.size

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Go to another machine: the contents of the files travel beside the pickle."""
        apart = PickleBuffer if protocol >= 5 else bytes
        parts = [[apart(part) for part in file.parts()] for file in self.files]
        return _shipped, (apart(self.data), parts, self.about)


def _shipped(data: Bytes, parts: Sequence[Sequence[Bytes]], about: About) -> Shipped:
    return Shipped(bytes(data), [SharedFile.of(each) for each in parts], about=about)
