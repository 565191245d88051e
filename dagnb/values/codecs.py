"""Values as bytes and back: each type by the plainest format that gives it back the same.

``json``     small plain values, alone or in lists and dicts
``array``    arrays of numbers: their elements as they lie in memory
``arrow``    frames and tables, in Arrow's format for files
``pickle``   whatever else pickles, version 5, with large buffers beside the pickle

Only the last can run code when it is read, so only that needs to be trusted.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from time import perf_counter
from types import ModuleType
from typing import Any

from dagnb.values.durable import Bytes, Damaged, Parts
from dagnb.values.memory import size_of
from dagnb.values.names import is_library_module, version_of

BYTES_PER_SECOND = 1e9  # what writing and checking manage together, about
PICKLED_PER_SECOND = 4e8  # the same for pickles, which are checked by SHA-256
ALWAYS_SECONDS = 0.001  # what takes no longer than this is worth its place
PATIENCE_SECONDS = 0.1
LARGE_BYTES = 65536
JSON_DEPTH, JSON_ITEMS, JSON_INT = 8, 200, 2**53

_LIBRARIES = {"numpy": "array_codec", "pyarrow": "arrow_codec", "pandas": "arrow_codec"}
_LIBRARIES["polars"] = "arrow_codec"
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_MODULES = {"array": "array_codec", "arrow": "arrow_codec"}


class Unsaved(Exception):
    """A value cannot be saved; its text says why."""


class TooDear(Exception):
    """Saving a value takes longer than computing it."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value as bytes.

    Attributes
    ----------
    codec : str
    pieces : list of bytes, or of tuples of bytes that are one piece
        Views of the value's own memory where that is possible.
    meta : dict
        What else is needed to read them, as JSON has it.
    libraries : dict of str to str
        The versions of the libraries whose objects are in it.
    told : list of (int, int)
        Where in the only piece, and how many, the bytes are that the digest of the value is made
        of: whatever they are, they can be read, and a change of them is a change of the value.
    """

    codec: str
    pieces: Sequence[Bytes | Parts]
    meta: dict[str, Any] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    told: Sequence[tuple[int, int]] = ()

    @property
    def parts(self) -> list[Parts]:
        """The parts of each piece."""
        return [each if isinstance(each, tuple) else (each,) for each in self.pieces]

    @property
    def size(self) -> int:
        """The bytes of all pieces."""
        return sum(memoryview(each).nbytes for parts in self.parts for each in parts)

    @property
    def joined(self) -> list[Bytes]:
        """Copies of the pieces, each in one run, as `decode` takes them."""
        return [b"".join(parts) for parts in self.parts]


def encode(value: object, seconds: float | None = None) -> Encoded:
    """Return a value as bytes.

    Parameters
    ----------
    value : object
    seconds : float, optional
        How long it took to compute; what takes longer than that is not done.

    Raises
    ------
    Unsaved
        No codec can give the value back.
    TooDear
        It is quicker to compute than to save.

    Examples
    --------
    >>> encoded = encode({"a": [1, 2.5]})
    >>> encoded.codec, decode(encoded.codec, encoded.meta, encoded.joined)
    ('json', {'a': [1, 2.5]})
    """
    if is_json(value):
        return Encoded("json", [compact(value)])
    budget = _Budget(seconds)
    codec = _codec_for(value)
    if codec is not None:
        budget.spend(size_of(value), BYTES_PER_SECOND)
        encoded: Encoded | None = codec.encode(value)
        if encoded is not None:
            return encoded
    return _pickled(value, budget)


_ENCODER = json.JSONEncoder(separators=(",", ":"))  # to make one takes as long as to use it
_DECODER = json.JSONDecoder()


def compact(value: object) -> bytes:
    """Return plain data as JSON without spaces."""
    return _ENCODER.encode(value).encode()


def parsed(line: bytes) -> Any:
    """Return the data of a line that `compact` wrote."""
    return _DECODER.raw_decode(line.decode())[0]


def mismatch(libraries: Mapping[str, str]) -> str:
    """Say which library is another one now than when a value was encoded; empty if none is.

    Examples
    --------
    >>> mismatch({"python": "2.7"}).startswith("it was saved with python 2.7, and now it is 3.")
    True
    """
    for name, version in libraries.items():
        now = _PYTHON if name == "python" else _version(name)
        if now != version:
            return f"it was saved with {name} {version}, and now it is {now}"
    return ""


def _version(name: str) -> str:
    if name not in sys.modules and find_spec(name) is None:
        return "not installed"
    return version_of(name)


def decode(codec: str, meta: Mapping[str, Any], pieces: Sequence[Bytes]) -> Any:
    """Return the value that was encoded; a pickle must be known to be one of ours.

    Raises
    ------
    Damaged
        It cannot be read here.
    """
    try:
        if codec == "json":
            return json.loads(bytes(pieces[0]))
        if codec == "pickle":
            return pickle.loads(pieces[0], buffers=pieces[1:])
        return import_module(f"dagnb.values.{_MODULES[codec]}").decode(meta, pieces)
    except Exception as error:  # a class of the user's may raise anything as it is made again
        raise Damaged(f"it cannot be read any more ({type(error).__name__}: {error})") from error


def is_json(value: object, depth: int = JSON_DEPTH) -> bool:
    """Whether JSON gives a value back as it is, and it is small.

    Examples
    --------
    >>> is_json([1, "a", None]), is_json((1, 2)), is_json({1: "a"})
    (True, False, False)
    """
    kind = type(value)
    if kind is int:
        return -JSON_INT <= value <= JSON_INT  # type: ignore[operator]  # it is an int
    if kind is str:
        return len(value) < LARGE_BYTES  # type: ignore[arg-type]  # it is a str
    if kind is list or kind is dict:
        items: Any = value
        inner = items.values() if kind is dict else items
        return (
            depth > 0
            and len(items) <= JSON_ITEMS
            and all(type(key) is str for key in items if kind is dict)
            and all(is_json(each, depth - 1) for each in inner)
        )
    return kind in (bool, float, type(None))


def _codec_for(value: object) -> ModuleType | None:
    """Return the codec for values of a library that the user's process has loaded."""
    root = type(value).__module__.partition(".")[0]
    module = _LIBRARIES.get(root)
    if module is None or (module == "arrow_codec" and "pyarrow" not in sys.modules):
        return None
    return import_module(f"dagnb.values.{module}")


class _Budget:
    """The time that saving a value may take.

    It is reckoned from bytes, so that what is saved does not depend on how busy the machine is;
    what is slow for another reason is given up later.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = float("inf") if seconds is None else max(seconds, ALWAYS_SECONDS)
        self._patience = max(self._seconds, PATIENCE_SECONDS)
        self._began = perf_counter()
        self._writing = 0.0

    def spend(self, size: int, per_second: float = PICKLED_PER_SECOND) -> None:
        """Note some bytes; raise `TooDear` if it is too much."""
        self._writing += size / per_second
        if self._writing > self._seconds or perf_counter() - self._began > self._patience:
            raise TooDear


class _Frames(io.RawIOBase):
    """Takes a pickle piece by piece."""

    def __init__(self, spend: Callable[[int], None]) -> None:
        self.data = bytearray()
        self._spend = spend

    def write(self, piece: Any, /) -> int:
        """Keep a copy."""
        before = len(self.data)
        self.data += piece
        self._spend(len(self.data) - before)
        return len(self.data) - before


class _Pickler(pickle.Pickler):
    """Notes whose objects it pickles, and leaves large buffers where they are."""

    def __init__(self, frames: _Frames, spend: Callable[[int], None]) -> None:
        super().__init__(frames, protocol=5, buffer_callback=self._is_small)
        self.buffers: list[memoryview] = []
        self.modules: set[str] = set()
        self._spend = spend

    def _is_small(self, buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LARGE_BYTES:
            return True
        self._spend(raw.nbytes)
        self.buffers.append(raw)
        return False

    def reducer_override(self, obj: Any) -> Any:
        """Note the module of an object's class, or of a class or function itself."""
        module = getattr(obj if isinstance(obj, type) else type(obj), "__module__", None)
        own = getattr(obj, "__module__", None) if callable(obj) else None
        self.modules.update(each for each in (module, own) if isinstance(each, str))
        return NotImplemented


def _pickled(value: object, budget: _Budget) -> Encoded:
    frames = _Frames(budget.spend)
    pickler = _Pickler(frames, budget.spend)
    try:
        pickler.dump(value)
    except TooDear:
        raise
    except Exception as error:
        raise Unsaved(f"{type(error).__name__}: {error}") from error
    roots = {module.partition(".")[0] for module in pickler.modules}
    return Encoded("pickle", [frames.data, *pickler.buffers], {}, _versions(roots))


def _versions(roots: set[str]) -> dict[str, str]:
    """Return the versions of those modules that are installed libraries."""
    installed = sorted(root for root in roots - sys.stdlib_module_names if is_library_module(root))
    return {"python": _PYTHON} | {root: version_of(root) for root in installed}
