"""Where a store keeps what, and whether a folder may be one.

::

    dagnb-store.json               {"format": 1}
    keys/ab/<sha256 of the key>.json   what is known of a value, signed; small values, too
    blobs/ab/<digest>.<codec>      a value
    tmp/                           files that are being written
    quarantine/                    files that are not what was written there
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from dagnb.errors import StoreError
from dagnb.values import durable

FORMAT = 1
MARKER = "dagnb-store.json"
FOLDER = ".dagnb"  # the name that a store beside a notebook has
FOLDERS = ("keys", "blobs", "tmp", "quarantine")


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a store by what they are for."""

    folder: Path

    def record(self, key: str) -> Path:
        """Return where what is known of a value is kept."""
        return Path(self.record_path(key))

    def record_path(self, key: str) -> str:
        """Return the same as text, which is quicker to make."""
        name = hashlib.sha256(key.encode()).hexdigest()
        return f"{self.folder}/keys/{name[:2]}/{name}.json"

    def blob(self, name: str) -> Path:
        """Return where a value is kept."""
        return Path(self.blob_path(name))

    def blob_path(self, name: str) -> str:
        """Return the same as text, which is quicker to make."""
        return f"{self.folder}/blobs/{name[:2]}/{name}"

    @property
    def tmp(self) -> Path:
        """Where files are written before they get their names."""
        return self.folder / "tmp"

    @property
    def quarantine(self) -> Path:
        """Where files go that are not what was written there."""
        return self.folder / "quarantine"

    def records(self) -> list[Path]:
        """Return the files of all records."""
        return sorted(self.folder.glob("keys/??/*.json"))

    def blobs(self) -> list[Path]:
        """Return the files of all values."""
        return sorted(self.folder.glob("blobs/??/*"))

    def check(self) -> None:
        """Refuse a folder that cannot be, or become, a store that its user can trust.

        Raises
        ------
        StoreError
            With what to do about it.
        """
        try:
            os.lstat(self.folder)
            self._check_folder()
        except FileNotFoundError:
            return  # it will be made
        except NotADirectoryError as error:
            file = next((each for each in self.folder.parents if each.exists()), "its place")
            raise StoreError(
                f"{self.folder} cannot be made for a store, since {file} is a file; "
                "name another folder"
            ) from error
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.folder} cannot be used as a store: {error}") from error

    def _check_folder(self) -> None:
        folder = self.folder
        if not folder.is_dir():
            raise StoreError(f"{folder} is a file; a store needs a folder of its own")
        if os.name == "posix":
            self._check_owner()
        marker = folder / MARKER
        if marker.exists():
            self._check_format(marker)
        elif any(not durable.is_temporary(each) for each in os.listdir(folder)):
            raise StoreError(f"{folder} is no store and not empty; name another folder")

    def _check_owner(self) -> None:
        status = self.folder.stat()
        if status.st_uid != os.geteuid():
            raise StoreError(
                f"{self.folder} belongs to another user (number {status.st_uid}); "
                f"first run: sudo chown -R $(id -u) '{self.folder}'"
            )
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise StoreError(
                f"others can write to {self.folder}, so its values cannot be trusted; "
                f"first run: chmod 700 '{self.folder}'"
            )

    def _check_format(self, marker: Path) -> None:
        try:
            number = json.loads(marker.read_bytes())["format"]
        except (ValueError, KeyError, TypeError):
            return  # damaged; every file in it has a format of its own
        if isinstance(number, int) and number > FORMAT:
            raise StoreError(
                f"{self.folder} was written by a newer dagnb; use that one, or another folder"
            )

    def prepare(self, *, sync: bool) -> None:
        """Make the folder, if it is not there.

        Parameters
        ----------
        sync : bool
            Whether to wait until it is on the disk.

        Raises
        ------
        StoreError
            There is a folder that cannot be a store.
        OSError
            It cannot be made.
        """
        self.check()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.folder / MARKER).exists():
            self._write(MARKER, json.dumps({"format": FORMAT}) + "\n", sync=sync)
            self._write(".gitignore", "*\n", sync=sync)
        for name in FOLDERS:
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)

    def _write(self, name: str, text: str, *, sync: bool) -> None:
        temporary = durable.write_temporary(self.folder, text.encode(), sync=sync)
        durable.place(self.folder / temporary, self.folder / name)
