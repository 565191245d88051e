"""Parameters of a function that are variables of the notebook: read like globals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from dagnb.errors import UncacheableValue
from dagnb.values.code import CodeDigest, Read
from dagnb.values.describe import describe
from dagnb.values.fingerprint import digest
from dagnb.values.plain import PLAIN
from dagnb.values.walk import combine


def with_variables(
    code: CodeDigest, names: Iterable[str], namespace: Mapping[str, object]
) -> CodeDigest:
    """Return a digest of code that also names the present values of some variables.

    It knows when they change, as it knows it of globals that the code reads itself.

    Examples
    --------
    >>> from dagnb.values.code import code_digest, explain_change
    >>> code = code_digest(lambda limit: limit)
    >>> old, new = (with_variables(code, ["limit"], {"limit": value}) for value in (1, 2))
    >>> [str(change) for change in explain_change(old, new)]
    ['global `limit` changed from 1 to 2']
    """
    reads, tokens = dict(code.reads), [code.digest]
    for name in sorted(names):
        code.guards.place(namespace, name, namespace.get(name, namespace))
        if name not in namespace:
            continue
        value = namespace[name]
        reads[name] = Read("variable", _named(value), describe(value))
        tokens += [name, reads[name].digest]
        if type(value) not in PLAIN:
            key = "value", id(value), reads[name].digest
            code.guards.checks[key] = partial(_is_named, value, reads[name].digest)
    if len(tokens) == 1:
        return code
    named = combine("with variables", [token.encode() for token in tokens]).hex()
    return replace(code, digest=named, reads=reads)


def _named(value: object) -> str:
    """Name a value, or its type where a value of that type has no digest."""
    try:
        return digest(value)
    except UncacheableValue:
        return f"some {type(value).__module__}.{type(value).__qualname__}"


def _is_named(value: object, name: str) -> bool:
    return _named(value) == name
