"""A folder with one pickled value a node, and what vouches for each of them.

::

    _meta.json       what is known of every node; signed with the user's key
    <name>.pkl       a value, alone

`_meta.json` names the SHA-256 of every file, so a file counts only as what was written. A value
is first written under a temporary name, then `_meta.json` is replaced by one that knows both
names, then the value gets its own: whoever comes after a crash in between finishes that. Each
file is synced before it gets a name, and the folder after it (Pillai and others 2014, *All File
Systems Are Not Created Equal*).
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagnb.errors import CheckpointError
from dagnb.values import durable
from dagnb.values.durable import Damaged
from dagnb.values.filenames import file_name
from dagnb.values.signature import is_signed, sign

META, FORMAT = "_meta.json", 1
REQUIRED: dict[str, object] = {"digest": None, "seconds": 0.0, "code": None, "inputs": []}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a completed node.

    Attributes
    ----------
    digest : str or None
        Names the value, if anything can.
    seconds : float
        How long it took.
    code : dict of str to str, or None
        The digests of its code and of what that reads; None if it cannot be named.
    inputs : sequence of (str, str or None)
        Its inputs, with what names their values.
    file, sha256, size, temporary
        Where the value is; empty if it is not saved.
    unsaved : str
        Why it is not.
    """

    digest: str | None
    seconds: float
    code: dict[str, str] | None
    inputs: Sequence[tuple[str, str | None]]
    file: str = ""
    sha256: str = ""
    size: int = 0
    temporary: str = ""
    unsaved: str = ""


class Ledger:
    """The folder of one checkpoint.

    Parameters
    ----------
    folder : Path
    key : bytes
        Signs `_meta.json`.
    warn : callable
        Told once, in a sentence, of whatever is not as it should be.

    Attributes
    ----------
    entries : dict of str to Entry
        Of the nodes that completed.
    failed : list of str
    total : int
        How many nodes there are.
    timestamp : str
        When `_meta.json` was written: ISO 8601, UTC; empty if there is none.
    """

    def __init__(self, folder: Path, key: bytes, warn: Callable[[str], None]) -> None:
        self.folder = folder
        self._key = key
        self._warn = warn
        self._claim: durable.Claim | None = None
        self._forget()

    def _forget(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.failed: dict[str, None] = {}
        self.total = 0
        self.timestamp = ""
        self._texts: dict[str, str] = {}
        self._complained = False
        self._is_foreign = False  # what stands as _meta.json is not ours

    # -- reading ----------------------------------------------------------------------------

    def read(self) -> None:
        """Take in what `_meta.json` says; one that is not ours counts for nothing.

        Raises
        ------
        CheckpointError
            It was written by a newer dagnb.
        """
        self._forget()
        path = self.folder / META
        if not os.path.lexists(path):
            return
        try:
            self._take_in(json.loads(durable.regular(path).read_bytes()))
        except CheckpointError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError, Damaged) as error:
            self._forget()
            self._is_foreign = True
            self._warn(f"{path} is damaged or was not written here ({error}); nothing is reused")

    def _take_in(self, data: dict[str, Any]) -> None:
        if isinstance(data["format"], int) and data["format"] > FORMAT:
            raise CheckpointError(
                f"{self.folder} was written by a newer dagnb; use that one, or another folder"
            )
        signature = data.pop("hmac")
        if not is_signed(self._key, _text(data).encode(), signature):
            raise Damaged("its signature is not that of this user's key")
        for name, each in data["nodes"].items():
            inputs = [tuple(pair) for pair in each["inputs"]]
            self._set(name, Entry(**(each | {"inputs": inputs})))
        self.failed = dict.fromkeys(data["failed_nodes"])
        self.total, self.timestamp = data["total_nodes"], data["timestamp"]

    def get(self, name: str) -> Any:
        """Return the value of a completed node. Nothing is unpickled that was not written here.

        Raises
        ------
        Damaged
            There is no such value, or not any more.
        """
        entry = self.entries[name]
        if not entry.file:
            raise Damaged(f"its value was not saved ({entry.unsaved})")
        data = self._intact(entry)
        try:
            return pickle.loads(data)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise Damaged(f"{entry.file} cannot be read any more ({problem})") from error

    def _intact(self, entry: Entry) -> bytes:
        """Return the bytes of a value's file; finish what a crash left between two names."""
        try:
            return self._verified(entry, entry.file)
        except Damaged as damage:
            try:
                data = self._verified(entry, entry.temporary)
            except Damaged:
                raise damage from None
        self._or_complain(lambda: durable.replace(self.folder, entry.temporary, entry.file))
        return data

    def _verified(self, entry: Entry, name: str) -> bytes:
        path = self.folder / name
        try:
            if durable.regular(path).stat().st_size == entry.size:
                data = path.read_bytes()
                if hashlib.sha256(data).hexdigest() == entry.sha256:
                    return data
        except FileNotFoundError:
            raise Damaged(f"{name} is missing") from None
        except OSError as error:
            raise Damaged(f"{name} cannot be read ({error})") from error
        raise Damaged(f"{name} is not what was written there")

    # -- writing ----------------------------------------------------------------------------

    def claim(self) -> None:
        """Make the folder, and keep other writers out of it until `release`.

        Raises
        ------
        CheckpointError
            It cannot be made, anybody can write to it, or somebody does so now.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_if_open_to_all(self.folder)
            self._claim = durable.Claim(self.folder)
        except BlockingIOError:
            raise CheckpointError(
                f"another run writes to {self.folder}; wait for its end, or use another folder"
            ) from None
        except OSError as error:
            raise self._unusable(error) from error

    def begin(self, goes_on: Callable[[], bool]) -> None:
        """Keep the claim for as long as ``goes_on()`` says."""
        if self._claim is not None:
            self._claim.is_needed = goes_on

    def release(self) -> None:
        """Let others write to the folder."""
        if self._claim is not None:
            self._claim.release()

    def start(self, total: int) -> None:
        """Make the claimed folder ready, and note that a run begins.

        Raises
        ------
        CheckpointError
            It cannot be written to.
        """
        self.total = total
        try:
            self._sweep()
            self._set_aside(META, self._is_foreign)
            self._write_meta()
        except OSError as error:
            raise self._unusable(error) from error
        self._is_foreign = False

    def _unusable(self, error: OSError) -> CheckpointError:
        return CheckpointError(
            f"{self.folder} cannot hold a checkpoint: {error}; choose another folder"
        )

    def put(self, name: str, value: object, entry: Entry) -> str:
        """Save a value; return why it is not saved, or nothing. A full disk stops no run."""
        try:
            data = pickle.dumps(value, protocol=5)
        except Exception as error:
            unsaved = f"{type(error).__name__}: {error}"
        else:
            unsaved = self._or_complain(lambda: self._save(name, data, entry))
        if unsaved:
            self._or_complain(lambda: self._put_unsaved(name, replace(entry, unsaved=unsaved)))
        return unsaved

    def _save(self, name: str, data: bytes, entry: Entry) -> None:
        file = file_name(name) + ".pkl"
        self._set_aside(file, name not in self.entries or not self.entries[name].file)
        temporary = durable.write_temporary(self.folder, data)
        before = self.entries.get(name)
        sha256 = hashlib.sha256(data).hexdigest()
        known = replace(entry, file=file, temporary=temporary, size=len(data), sha256=sha256)
        self._set(name, known)
        self.failed.pop(name, None)
        try:
            self._write_meta(sync=False)
            durable.replace(self.folder, temporary, file)
        except OSError:
            self._set(name, before)
            (self.folder / temporary).unlink(missing_ok=True)
            raise
        durable.sync_folder(self.folder)

    def _put_unsaved(self, name: str, entry: Entry) -> None:
        before = self.entries.get(name)
        self._set(name, entry)
        self.failed.pop(name, None)
        self._write_meta()
        self._unlink(before)

    def fail(self, name: str) -> None:
        """Note that a node failed: no earlier value of it counts any more."""
        self.failed[name] = None
        before = self.entries.get(name)
        self._set(name, None)
        if not self._or_complain(self._write_meta):
            self._or_complain(lambda: self._unlink(before))

    def clear(self) -> None:
        """Remove the files that `_meta.json` knows, and itself; nothing else."""
        for entry in self.entries.values():
            self._unlink(entry)
        if not self._is_foreign:
            (self.folder / META).unlink(missing_ok=True)
        self.entries, self._texts, self.failed, self.timestamp = {}, {}, {}, ""
        if self.folder.is_dir():
            self._sweep()

    def _write_meta(self, *, sync: bool = True) -> None:
        """Replace `_meta.json`; its name is durable only after the folder was synced."""
        self.timestamp = datetime.now(UTC).isoformat()
        head = {
            "format": FORMAT,
            "timestamp": self.timestamp,
            "completed_nodes": list(self.entries),
            "failed_nodes": list(self.failed),
            "total_nodes": self.total,
        }
        nodes = ",".join(self._texts.values())
        text = f'{_text(head)[:-1]},"nodes":{{{nodes}}}}}'
        signed = f'{text[:-1]},"hmac":"{sign(self._key, text.encode())}"}}'
        temporary = durable.write_temporary(self.folder, signed.encode())
        durable.place(self.folder / temporary, self.folder / META)
        if sync:
            durable.sync_folder(self.folder)

    def _set(self, name: str, entry: Entry | None) -> None:
        """Set or forget what is known of a node; its JSON is made once, not for every write."""
        self.entries.pop(name, None)
        self._texts.pop(name, None)
        if entry is None:
            return
        fields = {each: value for each in entry.__slots__ if (value := getattr(entry, each))}
        self.entries[name] = entry
        self._texts[name] = f"{_text(name)}:{_text(REQUIRED | fields)}"

    def _unlink(self, entry: Entry | None) -> None:
        for name in (entry.file, entry.temporary) if entry is not None and entry.file else ():
            path = self.folder / name
            if path.is_symlink() or path.is_file():
                path.unlink(missing_ok=True)

    def _set_aside(self, name: str, is_foreign: bool) -> None:
        """Give a file that was not written here another name, so that it is not lost."""
        path = self.folder / name
        if not is_foreign or not os.path.lexists(path):
            return
        number = 1
        while os.path.lexists(aside := self.folder / f"{name}.set-aside-{number}"):
            number += 1
        path.rename(aside)
        self._warn(f"{path} was not written by this checkpoint; it is now {aside.name}")

    def _sweep(self) -> None:
        """Remove temporary files of runs that were killed."""
        needed = {entry.temporary for entry in self.entries.values()}
        for path in self.folder.iterdir():
            if durable.is_temporary(path.name) and path.name not in needed:
                path.unlink(missing_ok=True)

    def _or_complain(self, write: Callable[[], None]) -> str:
        """Write; if that fails, say so once. Return the problem, or nothing."""
        try:
            write()
        except OSError as error:
            self.complain(f"the checkpoint in {self.folder} is incomplete from here on: {error}")
            return str(error)
        return ""

    def complain(self, problem: str) -> None:
        """Warn that nothing can be written, once: what comes after it is no news."""
        if not self._complained:
            self._complained = True
            self._warn(problem)


def _text(data: object) -> str:
    return json.dumps(data, separators=(",", ":"))


def _refuse_if_open_to_all(folder: Path) -> None:
    if os.name == "posix" and folder.stat().st_mode & stat.S_IWOTH:
        raise CheckpointError(f"anybody can write to {folder}; first run: chmod o-w '{folder}'")
