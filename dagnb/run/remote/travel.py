"""How functions, values and errors are made fit to leave their process, and brought back.

Functions and classes of a notebook or a script travel by value (cloudpickle), those of modules by
name. Large buffers (arrays, frames, bytes) are kept out of the pickle, so that a channel can pass
them on without copying.
"""

from __future__ import annotations

import itertools
import pickle
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from inspect import unwrap
from itertools import pairwise
from pickle import PickleBuffer
from types import CodeType, FrameType, TracebackType
from typing import Any

from dagnb.errors import ForeignError, NotSendableError
from dagnb.run.remote.channel import Bytes
from dagnb.values.plain import PLAIN

OUT_OF_BAND_BYTES = 1 << 16
MOST_CAPTURED_BYTES = 50_000_000  # what a function may carry along in its variables
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Packed:
    """A pickle, and the large buffers that are not in it."""

    data: bytes
    buffers: Sequence[PickleBuffer] = ()

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data) + sum(each.raw().nbytes for each in self.buffers)


@dataclass(frozen=True, slots=True)
class _Whole:
    """Bytes, which pickle would copy into the pickle."""

    kind: type[bytes] | type[bytearray]
    content: PickleBuffer


def pack(*values: object) -> Packed:
    """Pack values.

    Raises
    ------
    Exception
        Whatever pickling raises for something that cannot leave this process.
    """
    if all(type(value) in PLAIN for value in values):
        return Packed(pickle.dumps(values, pickle.HIGHEST_PROTOCOL))
    import cloudpickle

    buffers: list[PickleBuffer] = []

    def keep_out(buffer: PickleBuffer) -> bool:
        if buffer.raw().nbytes < OUT_OF_BAND_BYTES:
            return True
        buffers.append(buffer)
        return False

    whole = tuple(map(_kept_out, values))
    data: bytes = cloudpickle.dumps(whole, pickle.HIGHEST_PROTOCOL, buffer_callback=keep_out)
    return Packed(data, buffers)


def unpack(data: Bytes, buffers: Sequence[memoryview] = ()) -> list[Any]:
    """Return the values."""
    return [_taken_in(value) for value in pickle.loads(data, buffers=buffers)]


def _kept_out(value: object) -> object:
    kind = type(value)
    if kind not in (bytes, bytearray) or len(value) < OUT_OF_BAND_BYTES:  # type: ignore[arg-type]  # it is bytes
        return value
    return _Whole(kind, PickleBuffer(value))  # type: ignore[arg-type]  # as above


def _taken_in(value: Any) -> Any:
    return value.kind(value.content) if type(value) is _Whole else value


# -- functions ------------------------------------------------------------------------------------


class Functions:
    """The functions of a run, packed once: each node sees the variables as they were then."""

    _keys = itertools.count()

    def __init__(self) -> None:
        self._known: dict[int, tuple[Callable[..., Any], int, bytes]] = {}

    def packed(self, function: Callable[..., Any]) -> tuple[int, bytes]:
        """Return a number that no other function has, and the function packed.

        Raises
        ------
        NotSendableError
            It cannot be sent.
        """
        known = self._known.get(id(function))
        if known is None:
            packed = pack_function(function)
            known = self._known[id(function)] = function, next(self._keys), packed
        return known[1:]

    def clear(self) -> None:
        """Forget them: the next run packs them as they are then."""
        self._known.clear()


def pack_function(function: Callable[..., Any], most: int = MOST_CAPTURED_BYTES) -> bytes:
    """Pack a function with the variables that it reads, if they are not too large.

    Raises
    ------
    NotSendableError
        It cannot be sent; the message names the variable that is in the way.
    """
    try:
        data = _packed_within(function, most)
    except Exception as error:  # whatever pickling a variable of the user's raises
        raise NotSendableError(_obstacle(function, most, error)) from None
    if data is None:
        raise NotSendableError(_too_large(function, most))
    return data


def _packed_within(value: object, most: int) -> bytes | None:
    """Pickle something; None if it is larger than it may be."""
    import cloudpickle

    taken = 0

    def count(buffer: PickleBuffer) -> bool:
        nonlocal taken
        taken += buffer.raw().nbytes
        return taken <= most  # beyond, it need not be copied any more

    data: bytes = cloudpickle.dumps(value, pickle.HIGHEST_PROTOCOL, buffer_callback=count)
    return data if taken <= most and len(data) <= most else None


def _too_large(function: Callable[..., Any], most: int) -> str:
    limit = f"more than {most / MEGABYTE:,.0f} MB"
    for name, value in captured(function):
        if _packed_within(value, most) is None:
            return (
                f"{_name_of(function)} reads the variable {name!r} (a {type(value).__name__}), "
                f"which is {limit}, too much to send with every call; "
                f"make it a node, or load it in the function"
            )
    return f"{_name_of(function)} takes {limit} with the variables that it reads"


def _obstacle(function: Callable[..., Any], most: int, error: Exception) -> str:
    for name, value in captured(function):
        try:
            _packed_within(value, most)
        except Exception as why:  # as above
            return (
                f"{_name_of(function)} reads the variable {name!r} (a {type(value).__name__}), "
                f"which cannot be sent to another process: {why}"
            )
    return f"{_name_of(function)} cannot be sent to another process: {error}"


def captured(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Yield the variables that a function carries along: its closure, then its globals."""
    inner: Any = unwrap(getattr(function, "func", function))
    code = getattr(inner, "__code__", None)
    if code is None:
        return
    for name, cell in zip(code.co_freevars, inner.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue
    known = inner.__globals__
    yield from ((name, known[name]) for name in dict.fromkeys(_names_in(code)) if name in known)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names_in(each)


def _name_of(function: Callable[..., Any]) -> str:
    return f"the function {getattr(function, '__name__', type(function).__name__)!r}"


# -- errors ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PackedLine:
    """One step of a traceback: a line of a function, or of a file outside of all functions."""

    file: str
    function: str
    first: int
    line: int
    module: str

    @classmethod
    def of(cls, frame: FrameType, line: int | None) -> PackedLine:
        """Note where a frame stands."""
        code, module = frame.f_code, str(frame.f_globals.get("__name__"))
        first = code.co_firstlineno
        return cls(code.co_filename, code.co_name, first, line or first, module)

    def step(self) -> TracebackType:
        """Return a traceback of one frame, which stands where that one stood.

        Its code begins in the line where that one's began: IPython counts from there.
        """
        source = "\n" * (self.line - self.first) + "raise Exception"
        code = compile(source, self.file, "exec", dont_inherit=True)
        try:
            exec(
                code.replace(co_name=self.function, co_firstlineno=self.first),
                {"__name__": self.module, "__file__": self.file},
            )
        except Exception as error:
            assert error.__traceback__ is not None
            assert error.__traceback__.tb_next is not None
            return error.__traceback__.tb_next
        raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True)
class PackedError:
    """An error as it travels: itself if it can be pickled, and what is left of it if not."""

    data: bytes
    kind: str
    text: str
    lines: Sequence[PackedLine]
    cause: PackedError | None
    context: PackedError | None
    suppresses: bool


def pack_error(error: BaseException) -> PackedError:
    """Pack an error with its traceback and with the errors that it came from."""
    import cloudpickle

    try:
        data = cloudpickle.dumps(error)
    except Exception:  # whatever pickling an error of the user's raises
        data = b""
    return PackedError(
        data,
        type(error).__qualname__,
        "".join(traceback.format_exception_only(error)).strip(),
        [PackedLine.of(*each) for each in traceback.walk_tb(error.__traceback__)],
        None if error.__cause__ is None else pack_error(error.__cause__),
        None if error.__context__ is None else pack_error(error.__context__),
        error.__suppress_context__,
    )


def unpack_error(packed: PackedError) -> BaseException:
    """Return the error; one that cannot be made again by its type's name and its text."""
    error: object = None
    with suppress(Exception):  # whatever making an error of the user's again raises
        error = pickle.loads(packed.data)
    if not isinstance(error, BaseException):
        error = ForeignError(packed.kind, packed.text)
    if packed.cause is not None:
        error.__cause__ = unpack_error(packed.cause)
    if packed.context is not None:
        error.__context__ = unpack_error(packed.context)
    error.__suppress_context__ = packed.suppresses
    return error.with_traceback(_as_traceback(packed.lines))


def _as_traceback(lines: Sequence[PackedLine]) -> TracebackType | None:
    """Return a traceback of the frames that were there.

    It is made in a thread of its own: it holds on to the frames of who makes it, and so to all
    that these hold, which are whole runs.
    """
    if not lines:
        return None
    made: list[TracebackType] = []
    thread = threading.Thread(target=lambda: made.extend(each.step() for each in lines))
    thread.start()
    thread.join()
    for one, following in pairwise(made):
        one.tb_next = following
    return made[0]
