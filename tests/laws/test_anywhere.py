"""The laws in processes, in pools, and on threads as a backend."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from dagnb.run.remote.slot import IDLE
from tests.laws.anywhere import Laws


class TestThreads(Laws):
    """Threads of this process."""

    name = "threads"


class TestInline(Laws):
    """The calling thread."""

    name = "inline"
    test_resume = None  # what runs inline cannot be stopped by somebody else


class TestProcesses(Laws):
    """Processes of this machine."""

    name = "processes"

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> Iterator[str]:
        """Leave no process behind."""
        yield cls.name
        IDLE.end()


class TestPool(Laws):
    """An executor of the standard library with processes."""

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> Iterator[Executor]:
        """A pool that is not ours."""
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            yield pool


class TestThreadPool(Laws):
    """An executor of the standard library with threads."""

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> Iterator[Executor]:
        """A pool that is not ours."""
        with ThreadPoolExecutor(2) as pool:
            yield pool
