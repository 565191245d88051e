"""A store where the system itself refuses: ``python -m tests.values.faulty_store FAULT FOLDER``.

Does what a notebook does with a store, under limits or rights that only a process of its own can
take, and prints what came of it as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import numpy as np

from dagnb.errors import StoreError
from dagnb.values.fingerprint import digest
from dagnb.values.saved import Saved
from dagnb.values.signature import signing_key
from dagnb.values.store import Store

KEY = b"k" * 32
NOBODY = 65_534
STRANGER = 64_321  # whom no list of users knows
SMALL, LARGE = np.arange(100), np.arange(1 << 18)


def put(store: Store, key: str, value: object) -> bool:
    """Save a value, however quick it was to compute."""
    return store.put(Saved(key, f"node {key}", digest(value), 1.5), value, always=True)


def has(store: Store, key: str, value: object) -> bool:
    """Whether the store gives this value back."""
    saved = store.find(key)
    return saved is not None and digest(store.load(saved)) == digest(value)


def write(folder: Path, told: list[str]) -> dict[str, object]:
    """Save values of both sizes beside one that is there, and read all of them."""
    try:
        store = Store(folder, KEY, told.append)
        saved = {"small": put(store, "small", SMALL), "large": put(store, "large", LARGE)}
        again = Store(folder, KEY, told.append)
        found = {"small": has(again, "small", SMALL), "large": has(again, "large", LARGE)}
        before = has(again, "before", SMALL)
    except StoreError as error:
        return {"refused": str(error)}
    left = [each.name for each in folder.rglob("*.tmp")]
    return {"saved": saved, "found": found, "before": before, "left": left}


def limit_files() -> None:
    """Let no file grow beyond 64 kB, as a quota does; Python ignores the signal."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))


def become(user: int) -> None:
    """Give up the rights of root, which nothing is forbidden."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


def homeless() -> dict[str, object]:
    """Ask for the key where there is no place to keep one."""
    try:
        return {"key": len(signing_key())}
    except StoreError as error:
        return {"refused": str(error)}


def main(fault: str, folder: Path) -> dict[str, object]:
    """Do what there is to do under one fault."""
    told: list[str] = []
    if fault == "limited":
        limit_files()
    elif fault != "none":
        become(STRANGER if fault == "stranger" else NOBODY)
    if fault in ("homeless", "stranger"):
        return homeless()
    return {**write(folder, told), "told": told}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
