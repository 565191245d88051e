from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagnb.values.fingerprint import digest
from tests.values import pairs
from tests.values.pairs import ALIKE, DIFFERENT, STANDARD, each, has, made

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
OWN_CODE = re.compile("lambda|Point|Frozen")  # bytecode differs between versions of Python
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def ready(libraries: str) -> None:
    """Skip what needs a library that is not installed."""
    if not has(libraries):
        pytest.skip(f"{libraries} is not installed")


@pytest.mark.parametrize(("libraries", "one", "other"), each(ALIKE))
def test_equal_values_have_one_digest(libraries: str, one: str, other: str) -> None:
    """Whatever their layout, order of insertion or history."""
    ready(libraries)
    assert digest(made(libraries, one)) == digest(made(libraries, other))


@pytest.mark.parametrize(("libraries", "one", "other"), each(DIFFERENT))
def test_different_values_have_two_digests(libraries: str, one: str, other: str) -> None:
    """Whatever a program could tell apart."""
    ready(libraries)
    assert digest(made(libraries, one)) != digest(made(libraries, other))


@pytest.mark.parametrize(("libraries", "one", "other"), each(DIFFERENT))
def test_one_different_value_in_a_container_is_seen(libraries: str, one: str, other: str) -> None:
    """Among others of its kind, and as part of a record."""
    ready(libraries)
    a, b, again = made(libraries, one), made(libraries, other), made(libraries, one)
    assert digest([{"k": a}] * 9) != digest([{"k": a}] * 8 + [{"k": b}])
    assert digest([{"k": a}] * 9) == digest([{"k": a}] * 8 + [{"k": again}])


def test_there_are_enough_pairs() -> None:
    """Both ways to be wrong are looked for."""
    assert min(len(each(ALIKE)), len(each(DIFFERENT))) >= 63


@pytest.mark.parametrize(
    ("libraries", "source"),
    sorted({(lib, one) for lib, one, _ in each(DIFFERENT) if lib != STANDARD}),
)
def test_a_pickled_copy_has_the_digest_of_its_original(libraries: str, source: str) -> None:
    """A value that crossed a process is still itself."""
    ready(libraries)
    value = made(libraries, source)
    assert digest(pickle.loads(pickle.dumps(value))) == digest(value)


def digests_by(python: str, seed: str) -> dict[str, str]:
    """Make all values in another process and return their digests."""
    script = "import json; from tests.values.pairs import digests; print(json.dumps(digests()))"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    ran = subprocess.run(
        [python, "-W", "ignore", "-c", script],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_digests_are_the_same_in_every_process() -> None:
    """Whatever the seed of the hashes, which decides the order of sets."""
    assert digests_by(sys.executable, "1") == digests_by(sys.executable, "2") == pairs.digests()


def other_python(version: str) -> str | None:
    """Find another Python that can run dagnb: beside this environment, or on the path."""
    beside = Path(sys.prefix).with_name(f".venv-{version}") / "bin" / "python"
    for name in (str(beside), f"python{version}"):
        python = shutil.which(name)
        if python and can_run(python):
            return python
    return None


def can_run(python: str) -> bool:
    """Whether a Python has the one library that digests need."""
    ran = subprocess.run([python, "-c", "import xxhash"], check=False, capture_output=True)
    return not ran.returncode


@pytest.mark.parametrize("version", [each for each in VERSIONS if each != THIS])
def test_digests_are_the_same_in_every_python(version: str) -> None:
    """A store outlives an upgrade of the interpreter."""
    python = other_python(version)
    if python is None:
        pytest.skip(f"no Python {version} with xxhash is installed")
    here, there = digests_by(sys.executable, "1"), digests_by(python, "2")
    both = [source for source in here.keys() & there.keys() if not OWN_CODE.search(source)]
    assert {source: here[source] for source in both} == {s: there[s] for s in both}
