"""Calls and reports as they travel between processes."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from time import perf_counter

from dagnb.errors import NotSendableError
from dagnb.run.call import Call, Report, perform
from dagnb.run.remote.channel import Bytes
from dagnb.run.remote.travel import Packed, pack, pack_error, unpack, unpack_error


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
        raise NotSendableError(_unsendable(values, names, error)) from error


def perform_packed(
    function: bytes, names: Sequence[str], inputs: Bytes, buffers: Sequence[memoryview] = ()
) -> Packed:
    """Perform a packed call, and return its packed report; it never raises.

    The function is made anew for each call, so that none sees what another did to its variables.
    """
    began = perf_counter()
    try:
        made = pickle.loads(function)
        values = unpack(inputs, buffers)
    except Exception as error:  # whatever a module that is missing here raises
        return pack_report(Report(None, error, began, perf_counter()))
    count = len(values) - len(names)
    keywords = dict(zip(names, values[count:], strict=True))
    report = perform(Call(0, made, values[:count], keywords or None))
    return pack_report(report._replace(beside=getattr(made, "beside", None)))


def pack_report(report: Report) -> Packed:
    """Pack a report; that of a value which cannot be sent tells so."""
    packed, error = Packed(b""), report.error
    try:
        packed = pack(report.value)
    except Exception as why:  # whatever pickling a value of the user's raises
        kind = type(report.value).__name__
        error = NotSendableError(
            f"its value (a {kind}) cannot be sent back from another process: {why}; "
            f"return something that pickle takes, or run the node on threads"
        )
    failed = None if error is None else pack_error(error)
    return Packed(
        pickle.dumps((packed.data, failed, report.started, report.ended, report.beside)),
        packed.buffers,
    )


def unpack_report(data: Bytes, buffers: Sequence[memoryview] = ()) -> Report:
    """Return a report; one whose value cannot be made here is that of a failure."""
    value, failed, started, ended, beside = pickle.loads(data)
    if failed is not None:
        return Report(None, unpack_error(failed), started, ended, beside=beside)
    try:
        return Report(unpack(value, buffers)[0], None, started, ended, beside=beside)
    except Exception as why:  # whatever making a value of the user's again raises
        error = NotSendableError(f"its value came back from another process and is broken: {why}")
        return Report(None, error, started, ended, beside=beside)


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
