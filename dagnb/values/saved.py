"""What a store knows of one value: a line of JSON, and its signature on the next."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import FileIO
from os.path import basename
from typing import Any

from dagnb.values import durable
from dagnb.values.codecs import Encoded, compact, decode, parsed
from dagnb.values.durable import Damaged
from dagnb.values.signature import has_signature, with_signature

FORMAT = 1
INLINE_BYTES = 2048
_PURPOSE = b"dagnb record "


@dataclass(frozen=True, slots=True)
class Saved:
    """The fact that a node, under a key, gave a value.

    Attributes
    ----------
    key : str
        The digest of the node's code and of its inputs.
    node : str
    digest : str
        Names the value.
    seconds : float
        How long it took.
    inputs : mapping of str to str
        The digests of its inputs.
    text : str
        The value in a few words.
    created : str
        When it was saved: ISO 8601, in UTC.
    codec, libraries, meta
        As in `Encoded`.
    size : int
        The bytes of the value.
    blob : str
        The file that holds the value; empty if it stands here.
    data : list of str
        The value, if it is small: its pieces, in base 64.
    outputs : list of dict
        What the node showed, as in a notebook file, if that is short.
    outputs_blob : str
        The file that holds it otherwise.
    """

    key: str
    node: str
    digest: str
    seconds: float = 0.0
    inputs: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    created: str = ""
    codec: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0
    blob: str = ""
    data: Sequence[str] = ()
    outputs: Sequence[Mapping[str, Any]] = ()
    outputs_blob: str = ""

    @property
    def blobs(self) -> list[str]:
        """The files that belong to it."""
        return [each for each in (self.blob, self.outputs_blob) if each]

    def value(self) -> Any:
        """Return a value that stands here.

        Raises
        ------
        Damaged
            It cannot be read any more.
        """
        return decode(self.codec, self.meta, [bytearray(b64decode(each)) for each in self.data])


def about(encoded: Encoded, size: int, blob: str) -> dict[str, Any]:
    """Return what a record says of an encoded value, and a small one itself."""
    data = [] if blob else [b64encode(each).decode() for each in encoded.joined]
    found: dict[str, Any] = {"codec": encoded.codec, "size": size}
    more = {"blob": blob, "data": data, "libraries": encoded.libraries, "meta": encoded.meta}
    found.update((name, value) for name, value in more.items() if value)
    return found


def record_lines(saved: Saved, more: Mapping[str, Any], key: bytes) -> bytes:
    """Return the contents of a record's file: what is known, and more of it."""
    fields = {name: value for name in Saved.__slots__ if (value := getattr(saved, name))}
    return with_signature(key, _PURPOSE, compact({"format": FORMAT, **fields, **more}))


def read_record(path: str, key: bytes) -> Saved:
    """Read a record.

    Raises
    ------
    FileNotFoundError
        There is none.
    Damaged
        It is not what this user's dagnb wrote.
    """
    try:
        with FileIO(durable.regular(path)) as file:
            line, newline, signature = file.read().partition(b"\n")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Damaged(f"{basename(path)} cannot be read ({error})") from error
    if not has_signature(key, _PURPOSE, line + newline, signature):
        raise Damaged("its record was damaged, or signed with another key")
    fields = parsed(line)
    del fields["format"]
    return Saved(**fields)
