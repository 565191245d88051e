"""Nodes as tests: ``pytest report.ipynb`` runs each node, and fails where one fails.

A notebook is taken only if it is named on the command line, or with ``--dagnb`` wherever it lies,
and only if it has nodes; never where nbval is asked for (``--nbval``, ``--nbval-lax``). A manifest
is taken if it is named: ``pytest pipeline.json``. Its tests have a state of their own, and its
exposures write into pytest's temporary folder.

A fixture ``dagnb_inputs`` in a ``conftest.py`` gives values in place of nodes::

    @pytest.fixture(scope="module")
    def dagnb_inputs():
        return {"raw": a_small_frame()}

and ``dagnb_kinds`` gives functions for the kinds of a manifest that only a runner knows.

This file is imported by every pytest where dagnb is installed, so it imports little.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dagnb.notebook.headless import Headless
    from dagnb.project.rehearsal import Rehearsal


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--dagnb``."""
    group = parser.getgroup("dagnb", "notebooks as graphs")
    group.addoption(
        "--dagnb", action="store_true", help="collect the nodes of all notebooks that are found"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take a manifest that is named; a notebook that has nodes, unless it is another plugin's."""
    if parent.session.isinitpath(file_path) and _is_manifest(file_path):
        manifest: pytest.Collector = ManifestModule.from_parent(parent, path=file_path)
        return manifest
    if file_path.suffix != ".ipynb" or _is_taken(parent.config):
        return None
    if not (parent.config.getoption("--dagnb") or parent.session.isinitpath(file_path)):
        return None
    module: pytest.Collector = NotebookModule.from_parent(parent, path=file_path)
    return module


def _is_manifest(path: Path) -> bool:
    """Whether a file is meant as a manifest, right or wrong; other JSON is for other plugins."""
    if path.suffix != ".json":
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(content, dict) and "nodes" in content


def _is_taken(config: pytest.Config) -> bool:
    """Whether somebody asked nbval to look at notebooks."""
    return any(config.getoption(option, False) for option in ("nbval", "nbval_lax"))


class NotebookModule(pytest.Module):
    """A notebook: its nodes, in order of definition."""

    def _getobj(self) -> ModuleType:
        return ModuleType(self.path.stem)

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each node that can be told from the file."""
        from dagnb.notebook.file import NotebookFile
        from dagnb.notebook.outline import outline

        for name in outline(NotebookFile.read(self.path).cells):
            item: pytest.Item = pytest.Function.from_parent(self, name=name, callobj=_test_of(name))
            yield item


class ManifestModule(pytest.Module):
    """A manifest: its nodes, dependencies first."""

    def _getobj(self) -> ModuleType:
        return ModuleType(self.path.stem)

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each node."""
        from dagnb.errors import ManifestError
        from dagnb.project.manifest import Manifest

        try:
            manifest = Manifest.load(self.path)
        except ManifestError as error:
            raise self.CollectError(str(error)) from None
        for each in manifest.dag.topological_sort():
            test = _test_of_step(str(each))
            item: pytest.Item = pytest.Function.from_parent(self, name=str(each), callobj=test)
            yield item


def _test_of_step(name: str) -> Callable[[Any], None]:
    """Return the test of one node of a manifest."""

    def test(dagnb_manifest: Rehearsal) -> None:
        __tracebackhide__ = True
        outcome = dagnb_manifest.outcome(name)
        if outcome.error is not None:
            _raise(outcome.error)
        if outcome.status.value == "skipped":
            pytest.skip(outcome.reason)

    return test


def _test_of(name: str) -> Callable[[Any], None]:
    """Return the test of one node of a notebook."""

    def test(dagnb_notebook: Headless) -> None:
        __tracebackhide__ = True
        if name in dagnb_notebook.given:
            pytest.skip(f"{name} is given by dagnb_inputs")
        dagnb_notebook.run([name], downstream=False)
        result = dagnb_notebook.session.result(name)
        if result.error is not None:
            _raise(result.error)
        if not result.status.is_success:
            pytest.skip(result.reason or "it has not run")

    return test


def _raise(error: BaseException) -> None:
    """Fail a test as its node did, with the frames of the user's code only."""
    __tracebackhide__ = True
    from dagnb.errors import DagError
    from dagnb.notebook.tracebacks import is_user_file

    if isinstance(error, DagError):
        pytest.fail(f"{type(error).__name__}: {error}", pytrace=False)
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    kept = None
    for each in reversed(frames):
        if is_user_file(each.tb_frame.f_code.co_filename):
            kept = TracebackType(kept, each.tb_frame, each.tb_lasti, each.tb_lineno)
    raise error.with_traceback(kept)


@pytest.fixture(scope="module")
def dagnb_inputs() -> dict[str, object]:
    """Return values in place of nodes; override it in a ``conftest.py``."""
    return {}


@pytest.fixture(scope="module")
def dagnb_kinds() -> dict[str, Callable[..., object]]:
    """Return what runs the kinds of a manifest that only a runner knows; override it."""
    return {}


@pytest.fixture(scope="module")
def dagnb_manifest(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    dagnb_inputs: dict[str, object],
    dagnb_kinds: dict[str, Callable[..., object]],
) -> Rehearsal:
    """Run nodes of a manifest as they are tested, apart from its real runs."""
    from dagnb.project.manifest import Manifest
    from dagnb.project.rehearsal import Rehearsal

    folder = tmp_path_factory.mktemp(request.path.stem)
    return Rehearsal(Manifest.load(request.path), folder, dagnb_inputs, dagnb_kinds)


@pytest.fixture(scope="module")
def dagnb_notebook(
    request: pytest.FixtureRequest, dagnb_inputs: dict[str, object]
) -> Iterator[Headless]:
    """Run the plain cells of a notebook; nodes run as they are tested."""
    from dagnb.errors import NotebookError, did_you_mean
    from dagnb.notebook.file import NotebookFile
    from dagnb.notebook.headless import opened
    from dagnb.notebook.outline import outline

    file = NotebookFile.read(request.path)
    known = outline(file.cells)
    for name in dagnb_inputs:
        if name not in known:
            nearest = did_you_mean(name, known)
            raise NotebookError(f"dagnb_inputs gives {name!r}, and no such node is there{nearest}")
    with opened(file, given=dagnb_inputs) as headless:
        headless.execute()
        if headless.failures:
            raise headless.failures[0].error
        yield headless
