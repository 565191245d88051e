"""Values that survive the process: found by the key of what they were computed from.

A store is a folder that belongs to one user. Every file gets its name when it is whole, a value
before the record that names it, and nothing is ever changed in place; so any number of processes
can use one store, and one that is killed leaves at most a temporary file. Records and values are
signed with the user's key. Whatever is not as it was written is set aside, and counts as not
there: it is computed again.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from dagnb.errors import StoreError, UncacheableValue
from dagnb.values import blobs, durable
from dagnb.values.codecs import Encoded, TooDear, compact, encode, mismatch
from dagnb.values.durable import Bytes, Damaged, Missing
from dagnb.values.fingerprint import digest
from dagnb.values.layout import Layout
from dagnb.values.saved import INLINE_BYTES, Saved, about, read_record, record_lines
from dagnb.values.upkeep import BUDGET_BYTES, evict, size_of

SHORT_OUTPUTS = 16384
TOUCH_SECONDS = 600  # how exactly the time of the last use is known


class Store:
    """The values in one folder.

    Parameters
    ----------
    folder : Path
        Made when the first value is saved.
    key : bytes
        Signs what is written.
    warn : callable
        Told in a sentence, once, that something is damaged, and once that nothing can be written.
    durable : bool
        Whether a value that was saved survives a power failure, too; else the last ones may be
        lost in one, and are then computed again.
    budget_bytes : int
        When there is more, what was used longest ago goes.

    Raises
    ------
    StoreError
        The folder cannot be trusted, or was written by a newer dagnb.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()), b"k" * 32, print)
    >>> store.put(Saved("key", "node", digest([1, 2])), [1, 2])
    True
    >>> store.load(store.find("key"))
    [1, 2]
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        warn: Callable[[str], None],
        *,
        durable: bool = False,
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        self.layout = Layout(folder)
        self.layout.check()
        self._tmp = f"{folder}/tmp"
        self._key = key
        self._warn = warn
        self._durable = durable
        self._told: set[str] = set()
        self._looked: tuple[str, blobs.Blob | None] = "", None  # the last value, loaded next
        self._budget = budget_bytes
        self._unchecked = budget_bytes  # written since it was last seen to fit; at first, who knows

    # -- reading ----------------------------------------------------------------------------

    def find(self, key: str) -> Saved | None:
        """Return what is known under a key, or None if nothing was saved.

        Raises
        ------
        Damaged
            Something was, and it cannot be used.
        """
        path = self.layout.record_path(key)
        try:
            saved: Saved = self._verified(path, lambda: read_record(path, self._key))
        except FileNotFoundError:
            return None
        if saved.key != key:
            raise Damaged("its record is that of something else")
        reason = mismatch(saved.libraries)
        if reason:
            raise Damaged(reason)
        for name in saved.blobs:
            self._check_blob(name)
        self._touch(path)
        return saved

    def _check_blob(self, name: str) -> None:
        """See that a value is there, by every byte if somebody else may have written it."""
        path = self.layout.blob_path(name)
        blob = self._verified(path, lambda: blobs.look(path, self._key))
        if not blob.is_untouched:
            self._verified(path, lambda: blobs.verify(path, self._key))
        self._looked = path, blob

    def load(self, saved: Saved) -> Any:
        """Return a value; a large array uses the memory of its file.

        Raises
        ------
        Damaged
            It cannot be had any more.
        """
        value = self._load_blob(saved.blob) if saved.blob else saved.value()
        if saved.codec == "pickle" and _digest(value) != saved.digest:
            raise Damaged("it came back as another value, since its class is another one now")
        return value

    def outputs(self, saved: Saved) -> list[dict[str, Any]]:
        """Return what the node showed.

        Raises
        ------
        Damaged
            It cannot be had any more.
        """
        if saved.outputs_blob:
            shown: list[dict[str, Any]] = self._load_blob(saved.outputs_blob)
            return shown
        return [dict(each) for each in saved.outputs]

    def _load_blob(self, name: str) -> Any:
        path = self.layout.blob_path(name)
        at, blob = self._looked
        looked = blob if at == path else None
        return self._verified(path, lambda: blobs.load(path, self._key, looked))

    def _verified(self, path: str, read: Callable[[], Any]) -> Any:
        """Read a file; one that is not as it was written is set aside."""
        try:
            return read()
        except Missing:
            raise
        except Damaged as damage:
            self._set_aside(path)
            self._tell(
                "damage",
                f"a file in {self.layout.folder} cannot be used: {damage}; "
                "what cannot be used is set aside and computed again",
            )
            raise

    def _set_aside(self, path: str) -> None:
        name = f"{os.path.basename(path)}.{secrets.token_hex(4)}"
        with suppress(OSError):
            self.layout.quarantine.mkdir(mode=0o700, exist_ok=True)
            os.replace(path, self.layout.quarantine / name)

    def _touch(self, path: str) -> None:
        """Note that a value is in use, for the eviction of those that are not."""
        with suppress(OSError):
            if time.time() - os.stat(path).st_mtime > TOUCH_SECONDS:
                os.utime(path)

    # -- writing ----------------------------------------------------------------------------

    def put(
        self,
        saved: Saved,
        value: object,
        *,
        outputs: Sequence[Mapping[str, Any]] = (),
        always: bool = False,
    ) -> bool:
        """Save a value; say whether it is saved. A full disk stops nobody.

        Parameters
        ----------
        saved : Saved
            Its key, node and digest, and what else is known.
        value : object
        outputs : list of dict
            What the node showed.
        always : bool
            Save it even if it is quicker to compute than to save.

        Raises
        ------
        Unsaved
            The value cannot be saved.
        """
        try:
            encoded = encode(value, None if always else saved.seconds)
        except TooDear:
            return False
        try:
            self._put(saved, encoded, outputs)
        except (OSError, StoreError) as error:
            folder = self.layout.folder
            self._tell("disk", f"values are not saved in {folder} from here on: {error}")
            return False
        return True

    def _put(self, saved: Saved, encoded: Encoded, outputs: Sequence[Mapping[str, Any]]) -> None:
        size = encoded.size
        blob = self._put_blob(encoded, saved.digest) if size > INLINE_BYTES else ""
        more = about(encoded, size, blob) | self._put_outputs(outputs)
        more["created"] = _moment(int(time.time()))
        lines = record_lines(saved, more, self._key)
        self._write(self.layout.record_path(saved.key), [lines])
        self._keep_to_budget(size + len(lines))

    def _put_outputs(self, outputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if not outputs:
            return {}
        text = compact(outputs)
        if len(text) <= SHORT_OUTPUTS:
            return {"outputs": outputs}
        name = hashlib.sha256(text).hexdigest()[:32]
        return {"outputs_blob": self._put_blob(Encoded("json", [text]), name)}

    def _put_blob(self, encoded: Encoded, digest: str) -> str:
        """Write a value, unless it is there; return its name."""
        name = f"{digest}.{encoded.codec}"
        path = self.layout.blob_path(name)
        if not self._has(path, encoded):
            now = int(time.time())
            self._write(path, blobs.contents(encoded, digest, self._key, now), now * 10**9)
        return name

    def _has(self, path: str, encoded: Encoded) -> bool:
        try:
            blob = blobs.look(path, self._key)
        except Damaged:
            return False
        return blob.is_untouched and blob.libraries == encoded.libraries

    def _write(self, path: str, pieces: Sequence[Bytes], time_ns: int | None = None) -> None:
        """Write a file whole; the folders are made when they turn out not to be there."""
        try:
            temporary = self._write_temporary(pieces, time_ns)
        except FileNotFoundError:
            self.layout.prepare(sync=self._durable)
            temporary = self._write_temporary(pieces, time_ns)
        durable.place(temporary, path)
        if self._durable:
            folder = Path(path).parent
            durable.sync_folder(folder)
            durable.sync_folder(folder.parent)

    def _write_temporary(self, pieces: Sequence[Bytes], time_ns: int | None) -> str:
        sync, tmp = self._durable, self._tmp
        return f"{tmp}/{durable.write_temporary(tmp, *pieces, sync=sync, time_ns=time_ns)}"

    def _keep_to_budget(self, written: int) -> None:
        self._unchecked += written
        if self._unchecked > self._budget // 20:
            self._unchecked = 0
            if size_of(self.layout) > self._budget:
                evict(self.layout, self._budget)

    def _tell(self, kind: str, sentence: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._warn(sentence)


@lru_cache(maxsize=1)
def _moment(seconds: int) -> str:
    """Return a time in words; many values are saved within a second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _digest(value: object) -> str | None:
    try:
        return digest(value)
    except UncacheableValue:
        return None
