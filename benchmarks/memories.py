"""The peers that remember results: how each names a value, and how each saves and loads one."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import peers

Name = Callable[[Any], Any]
NAME = "a"


def namings(chosen: Sequence[str] | None) -> dict[str, tuple[str, Name]]:
    """Return the functions by which peers name values: a label, the peer and the function."""
    found: dict[str, tuple[str, Name]] = {}
    if _has("dask", "dask.base", chosen):
        found["dask tokenize"] = "dask", peers.load("dask.base").tokenize
    if _has("joblib", "joblib", chosen):
        found["joblib hash"] = "joblib", peers.load("joblib").hash
    if _has("marimo", "marimo._save.encode", chosen):
        found["marimo"] = "marimo", marimo_name
    if _has("hamilton", "hamilton.caching.fingerprinting", chosen):
        fingerprinting = peers.load("hamilton.caching.fingerprinting")
        found["hamilton hash_value"] = "hamilton", fingerprinting.hash_value
    return found


def marimo_name(value: Any) -> bytes:
    """Name a value as marimo's cache does what a cell reads: by its bytes, or else by pickle."""
    kinds, encode = peers.load("marimo._runtime.primitives"), peers.load("marimo._save.encode")
    if kinds.is_primitive(value):
        content = encode.primitive_to_bytes(value)
    elif kinds.is_data_primitive(value):
        content = encode.data_to_buffer(value)
    elif kinds.is_data_primitive_container(value):
        content = encode.common_container_to_bytes(value)
    else:
        content = encode.deterministic_dumps(value, "sha256")
    return hashlib.sha256(content).digest()


Save = Callable[[Path, Any, str], Any]  # folder, value, name
Load = Callable[[Path], Any]


def savings(chosen: Sequence[str] | None) -> dict[str, tuple[Save, Load]]:
    """Return how peers save a value in a folder under a name, and load that called NAME."""
    found: dict[str, tuple[Save, Load]] = {}
    if _has("joblib", "joblib", chosen):
        joblib = peers.load("joblib")
        found["joblib"] = (
            lambda folder, value, name: joblib.dump(value, folder / name),
            lambda folder: joblib.load(folder / NAME, mmap_mode="c"),
        )
    if _has("marimo", "marimo._save.stores.file", chosen):
        store = peers.load("marimo._save.stores.file").FileStore
        found["marimo"] = (
            lambda folder, value, name: store(str(folder)).put(name, pickle.dumps(value, 5)),
            lambda folder: pickle.loads(store(str(folder)).get(NAME)),
        )
    if _has("hamilton", "hamilton.caching.stores.file", chosen):
        results = peers.load("hamilton.caching.stores.file").FileResultStore
        found["hamilton"] = (
            lambda folder, value, name: results(str(folder)).set(name, value),
            lambda folder: results(str(folder)).get(NAME),
        )
    return found


def _has(peer: str, module: str, chosen: Sequence[str] | None) -> bool:
    """Whether a peer is wanted and has what is asked for."""
    return peers.wanted(peer, chosen) and peers.load(module) is not None
