"""The user's own key: what carries its signature was written by dagnb, for this user."""

from __future__ import annotations

import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from dagnb.errors import SigningKeyError
from dagnb.values.folders import own_folder

SIZE = 32
SIGNATURE_BYTES = 65  # of one that stands on a line


def key_path() -> Path:
    """Return where the key is kept: in the user's data folder, which XDG_DATA_HOME can move.

    Raises
    ------
    SigningKeyError
        The user has no home folder, and no other is named.
    """
    folder = own_folder("data")
    if folder is None:
        raise SigningKeyError(
            "there is no home folder for the key that signs what is saved; "
            "set HOME, or XDG_DATA_HOME to a folder that you can write to"
        )
    return folder / "signing.key"


def signing_key() -> bytes:
    """Return the key, made when it is first needed, readable by its owner only.

    Raises
    ------
    SigningKeyError
        It can neither be read nor made.
    """
    path = key_path()
    try:
        key = path.read_bytes() if path.exists() else _make(path)
    except OSError as error:
        raise SigningKeyError(
            f"the key that signs what is saved cannot be kept in {path}: {error}; "
            "set XDG_DATA_HOME to a folder that you can write to"
        ) from error
    if len(key) != SIZE:
        raise SigningKeyError(f"{path} is not a key of dagnb; remove it, and a new one is made")
    return key


def _make(path: Path) -> bytes:
    """Write a new key, whole or not at all; if somebody else was faster, theirs counts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, temporary = secrets.token_bytes(SIZE), path.with_name(f"key-{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        return path.read_bytes()
    except (OSError, AttributeError):  # a file system without links, or a browser's
        os.replace(temporary, path)
        return key
    finally:
        temporary.unlink(missing_ok=True)
    return key


def sign(key: bytes, data: bytes) -> str:
    """Return the signature of some data."""
    mac = _begun(key).copy()
    mac.update(data)
    return mac.hexdigest()


@lru_cache(maxsize=8)
def _begun(key: bytes) -> hmac.HMAC:
    """Return where every signature begins; to get there takes longer than to sign a line."""
    return hmac.new(key, digestmod="sha256")


def is_signed(key: bytes, data: bytes, signature: object) -> bool:
    """Whether a signature is that of the data."""
    return isinstance(signature, str) and hmac.compare_digest(
        sign(key, data).encode(), signature.encode("utf-8", "replace")
    )


def with_signature(key: bytes, purpose: bytes, line: bytes) -> bytes:
    """Return a line, and on the next one its signature for a purpose."""
    return line + b"\n" + sign(key, purpose + line).encode() + b"\n"


def has_signature(key: bytes, purpose: bytes, line: bytes, signature: bytes) -> bool:
    """Whether a line carries its signature for a purpose; both end as lines do."""
    return hmac.compare_digest(with_signature(key, purpose, line[:-1]), line + signature)
