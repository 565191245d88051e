"""Writers to one store, killed at random instants: ``python -m tests.values.killed_store ...``.

``FOLDER KILLS WRITERS SEED``. A process that imports once and forks the writers; after each kill it
reads all that a writer was told is saved. Prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from dagnb.values.durable import Damaged
from dagnb.values.fingerprint import digest
from dagnb.values.saved import Saved
from dagnb.values.store import Store

KEY = b"k" * 32
KEYS = 50


def value_of(key: str, version: int) -> object:
    """Return a value that shows what it was saved under: small, pickled or an array."""
    number = int(key)
    kinds: list[object] = [
        [key, version],
        {(key, version): list(range(2000 + number))},
        np.full(20_000 + number, version * KEYS + number, dtype="int32"),
    ]
    return kinds[number % len(kinds)]


def write(folder: Path, seed: int) -> None:
    """Save values until killed; note each of them once it is saved."""
    chance, store = random.Random(seed), Store(folder, KEY, complain)
    log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    while True:
        key, version = str(chance.randrange(KEYS)), chance.randrange(1000)
        value = value_of(key, version)
        saved = Saved(key, f"node {key}", digest(value), 1.0, text=str(version))
        if store.put(saved, value, outputs=[{"text": "x" * chance.choice([10, 20_000])}]):
            os.write(log, f"{key}\n".encode())


def complain(sentence: str) -> None:
    """Fail: nothing may go wrong here but the kill."""
    os.write(2, sentence.encode() + b"\n")
    os._exit(1)


def check(folder: Path) -> int:
    """Read every value that was saved; return how many there are."""
    store, log = Store(folder, KEY, complain), folder.with_suffix(".log")
    keys = set(log.read_text().split()) if log.exists() else set()
    for key in keys:
        saved = store.find(key)
        if saved is None:
            raise SystemExit(f"the value under {key} is lost")
        try:
            value = store.load(saved)
            store.outputs(saved)
        except Damaged as damage:
            raise SystemExit(f"the value under {key} cannot be read: {damage}") from damage
        if digest(value) != digest(value_of(key, int(saved.text))):
            raise SystemExit(f"the value under {key} is another one")
    return len(keys)


def main(folder: Path, kills: int, writers: int, seed: int) -> dict[str, Any]:
    """Start writers and kill them, again and again."""
    chance, found = random.Random(seed), 0
    for _ in range(kills):
        children = []
        for _ in range(writers):
            number = chance.random()
            child = os.fork()
            if not child:
                write(folder, hash(number))
            children.append(child)
        time.sleep(chance.uniform(0.002, 0.06))
        for child in children:
            os.kill(child, signal.SIGKILL)
            if os.WIFEXITED(os.waitpid(child, 0)[1]):
                raise SystemExit("a writer ended by itself")
        found = check(folder)
    left = [path.name for path in (folder / "quarantine").iterdir()]
    return {"saved": found, "set aside": left}


if __name__ == "__main__":
    folder, *numbers = sys.argv[1:]
    print(json.dumps(main(Path(folder), *map(int, numbers))))
