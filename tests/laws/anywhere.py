"""The laws, wherever nodes run. A backend is held to them by a subclass that says what it is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from dagnb import ConditionalExecutor, Conditions, DAGExecutor, Task
from dagnb.run.remote.backend import Backend
from tests.laws import test_conditions, test_drivers, test_expansion, test_resume
from tests.laws.pipelines import Apart, Pipeline, pipelines
from tests.laws.test_sequences import Sequences

Place = str | Backend | Executor
few = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


class Laws:
    """Correct, minimal, once, in order, resumed and grown, with a few examples of each.

    Attributes
    ----------
    name : str
        What ``backend=`` is given, unless the fixture `backend` gives something else.
    """

    name: ClassVar[str] = ""

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> Iterator[Place]:
        """What is given to an executor."""
        yield cls.name

    @pytest.fixture(scope="class")
    @classmethod
    def notes(cls) -> Iterator[Path]:
        """A file in which tasks note that they were called."""
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "called"

    @few
    @given(pipeline=pipelines(), workers=st.integers(1, 3), data=st.data())
    def test_correct_once_and_in_order(
        self, backend: Place, notes: Path, pipeline: Pipeline, workers: int, data: st.DataObject
    ) -> None:
        """Here and there by turns, and with failures."""
        test_drivers.fail_some(pipeline, data)
        pipeline = Apart.of(pipeline, notes)
        here = data.draw(st.lists(st.sampled_from(list(pipeline.nodes))))
        tasks: dict[str, Any] = {
            name: Task(task, name=name, backend="threads") if name in here else task
            for name, task in pipeline.tasks.items()
        }
        runner = DAGExecutor(pipeline.dag, workers, fail_fast=False, backend=backend)
        test_drivers.check(pipeline, runner.execute(tasks))

    def test_minimal(self, backend: Place, notes: Path) -> None:
        """Any sequence of edits and runs executes what a simple model says, and cuts off early."""

        class Machine(Sequences):
            options: ClassVar[dict[str, Any]] = {"max_workers": 2, "backend": backend}

            def placed(self, pipeline: Pipeline) -> Pipeline:
                return Apart.of(pipeline, notes)

        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            Machine, settings=settings(few, max_examples=4, stateful_step_count=6)
        )

    @few
    @given(drawn=test_expansion.growing(), workers=st.integers(1, 3))
    def test_expansion(self, backend: Place, drawn: test_expansion.Growing, workers: int) -> None:
        """A run with expansion equals a run of the final graph."""
        test_expansion.grow(drawn, workers, backend)

    @few
    @given(
        pipeline=pipelines(),
        settles=st.integers(0, 8),
        workers=st.integers(1, 3),
        anew=st.booleans(),
    )
    def test_resume(
        self, backend: Place, pipeline: Pipeline, settles: int, workers: int, anew: bool
    ) -> None:
        """Stopped after any settle and resumed: the same values, and nothing ran twice."""
        with patch.object(os, "fsync"):  # power does not fail here
            test_resume.stop_and_go_on(pipeline, settles, workers, anew, backend)

    @few
    @given(drawn=test_conditions.guarded(), workers=st.integers(1, 3))
    def test_conditions(
        self, backend: Place, notes: Path, drawn: tuple[Pipeline, Conditions], workers: int
    ) -> None:
        """Are asked here, about values from there."""
        pipeline, conditions = Apart.of(drawn[0], notes), drawn[1]
        executor = ConditionalExecutor(
            pipeline.dag, conditions, max_workers=workers, fail_fast=False, backend=backend
        )
        result = executor.execute(pipeline.tasks)
        assert test_conditions.seen(result) == test_conditions.expected(pipeline, conditions)
        ran = [str(name) for name, each in result.node_results.items() if each.executed]
        assert sorted(pipeline.called) == sorted(ran)
