"""Names of nodes as names of files: readable, harmless, and never two the same."""

from __future__ import annotations

import hashlib
import re

SAFE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")
DEVICES = frozenset({"con", "prn", "aux", "nul"}) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}  # which Windows reserves, with any extension
LONGEST = 160


def file_name(name: str) -> str:
    """Return a file name for a node's name, on any file system.

    Percent-encoded, capital letters too, since many file systems take ``A`` for ``a``. A long
    one ends in a digest of the whole.

    Examples
    --------
    >>> file_name("fetch_users"), file_name("a/b"), file_name(".."), file_name("A"), file_name("con")
    ('fetch_users', 'a%2fb', '%2e.', '%41', '%63on')
    """  # noqa: E501  # an example reads better unbroken
    encoded = "".join(each if each in SAFE else _percent(each) for each in name)
    if encoded.startswith(".") or encoded.partition(".")[0] in DEVICES:
        encoded = _percent(encoded[0]) + encoded[1:]
    if len(encoded) <= LONGEST:
        return encoded
    whole = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return re.sub("%[0-9a-f]?$", "", encoded[: LONGEST - 40]) + "~" + whole[:32]


def _percent(character: str) -> str:
    return "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
