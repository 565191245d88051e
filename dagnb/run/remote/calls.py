"""Calls and reports as they travel between processes."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

from dagnb.errors import NotSendableError
from dagnb.run.call import Call, Report, perform
from dagnb.run.remote.backend import Hear, Teller
from dagnb.run.remote.channel import Bytes, SharedFile
from dagnb.run.remote.handle import About, put_in
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.travel import (
    OUT_OF_BAND_BYTES,
    Packed,
    pack,
    pack_error,
    unpack,
    unpack_error,
)


def pack_inputs(call: Call) -> tuple[tuple[str, ...], Packed]:
    """Pack what a call hands to its function: the names of keywords, and all values.

    Raises
    ------
    NotSendableError
        One of them cannot be sent; the message says which.
    """
    names = tuple(call.keywords or ())
    values = [*call.arguments, *(call.keywords or {}).values()]
    try:
        return names, pack(*values)
    except Exception as error:  # whatever pickling a value of the user's raises
        raise NotSendableError(_unsendable(values, names, error)) from None


def perform_packed(
    function: bytes,
    names: Sequence[str],
    inputs: Bytes,
    buffers: Sequence[memoryview] = (),
    along: Sequence[Shipped] = (),
    *,
    looks: bool = False,
    tell: Hear | None = None,
) -> Packed:
    """Perform a packed call, and return its packed report; it never raises.

    Inputs may stand for values that go along. With ``looks`` a large value is described. A
    `Teller` is given ``tell``.

    The function is made anew for each call, so that none sees what another did to its variables.
    """
    began = perf_counter()
    try:
        made = pickle.loads(function)
        values = put_in(unpack(inputs, buffers), along)
    except Exception as error:  # whatever a module that is missing here raises
        return pack_report(Report(None, error, began, perf_counter()))
    if isinstance(made, Teller):
        made.tell = tell
    count = len(values) - len(names)
    keywords = dict(zip(names, values[count:], strict=True))
    report = perform(Call(0, made, values[:count], keywords or None))
    return pack_report(report._replace(beside=getattr(made, "beside", None)), looks=looks)


def pack_report(report: Report, *, looks: bool = False) -> Packed:
    """Pack a report, its value apart; that of a value which cannot be sent tells so."""
    packed, error, about = Packed(b""), report.error, None
    try:
        packed = pack(report.value)
        if looks and packed.size >= OUT_OF_BAND_BYTES:
            about = About.of(report.value, packed.size)
    except Exception as why:  # whatever pickling a value of the user's raises
        kind = type(report.value).__name__
        error = NotSendableError(
            f"its value (a {kind}) cannot be sent back from another process: {why}; "
            f"return something that pickle takes, or run the node on threads"
        )
    return Packed(pickle.dumps((pack_head(report, error), packed.data, about)), packed.buffers)


def pack_head(report: Report, error: BaseException | None) -> bytes:
    """Pack a report without its value."""
    failed = None if error is None else pack_error(error)
    return pickle.dumps((failed, report.started, report.ended, report.beside))


def unpack_report(
    data: Bytes,
    files: Sequence[SharedFile] = (),
    buffers: Sequence[memoryview] = (),
    *,
    ships: bool = False,
) -> Report:
    """Return a report; one whose value cannot be made here is that of a failure.

    Its buffers are in files, or given as they are. With ``ships`` those in files are left there.
    """
    head, value, about = pickle.loads(data)
    report = unpack_head(head)
    if report.error is not None:
        return report
    came = Shipped(value, list(files), buffers, about)
    try:
        return report._replace(value=came if ships and files else came.load())
    except NotSendableError as error:
        return report._replace(error=error)


def unpack_head(head: Bytes) -> Report:
    """Return a report without its value."""
    failed, started, ended, beside = pickle.loads(head)
    error = None if failed is None else unpack_error(failed)
    return Report(None, error, started, ended, beside=beside)


class Unopened(NamedTuple):
    """A report as it came, for somebody else to open: its value, and all the rest."""

    head: bytes
    value: Shipped


def as_it_came(data: Bytes, files: Sequence[SharedFile] = ()) -> Report:
    """Return a report whose value is `Unopened`; nothing of the user's is made here."""
    head, value, about = pickle.loads(data)
    return Report(Unopened(head, Shipped(value, list(files), about=about)), None, 0.0, 0.0)


def not_sent(error: Exception) -> Report:
    """Return the report of a call that could not even begin."""
    now = perf_counter()
    return Report(None, error, now, now)


def _unsendable(values: Sequence[object], names: Sequence[str], error: Exception) -> str:
    unnamed = len(values) - len(names)
    labels = [*(f"number {place + 1}" for place in range(unnamed)), *map(repr, names)]
    for label, value in zip(labels, values, strict=True):
        try:
            pack(value)
        except Exception as why:  # as above
            kind = type(value).__name__
            return f"its input {label} (a {kind}) cannot be sent to another process: {why}"
    return f"its inputs cannot be sent to another process: {error}"
