"""The tasks of nodes: their functions, called with the notebook's variables, outputs kept."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from dagnb.notebook.capture import Shell, Sink, capture
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.display import show
from dagnb.notebook.elsewhere import Brought, NodeElsewhere, let_travel
from dagnb.notebook.node import ONE_ATTEMPT, NotebookNode
from dagnb.notebook.opened import Opened, noticed
from dagnb.observe.text import error_text, seconds
from dagnb.run.call import Report
from dagnb.run.coroutines import run_coroutine
from dagnb.tasks import Options, Task


class Tasks(Mapping[str, Task]):
    """The task of each node, made when asked for and kept as long as the node is the same.

    Attributes
    ----------
    sinks : dict of str to list of Sink
        What nodes have shown in this round, attempt by attempt, until somebody takes it out.
    opened : dict of str to Opened
        The files that nodes read when they ran last, and what else is not the notebook's.
    attempts : Options
        The timeout and the retries of nodes that say nothing of them.
    """

    def __init__(
        self, nodes: Mapping[str, NotebookNode], shell: Shell, namespace: Mapping[str, Any]
    ) -> None:
        self._nodes = nodes
        self._made: dict[str, tuple[NotebookNode, Task]] = {}
        self.shell = shell
        self.namespace = namespace
        self.sinks: dict[str, list[Sink]] = {}
        self.opened: dict[str, Opened] = {}
        self.attempts = ONE_ATTEMPT
        self._live: set[str] = set()
        self._thread, self._context = threading.get_ident(), copy_context()

    def __getitem__(self, name: str) -> Task:
        node = self._nodes[name]
        made = self._made.get(name)
        if made is None or made[0] is not node:
            made = self._made[name] = node, self._task(node)
        return made[1]

    def _task(self, node: NotebookNode) -> Task:
        inputs = tuple(each for each in node.code.parameters if each in self._nodes)
        options = _filled(node.options.attempts, self.attempts)
        function = NodeTask(node.code, inputs, self, options)
        return Task(function, name=node.name, **options._asdict())

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def forget(self, name: str) -> None:
        """Forget a node that was removed."""
        self._made.pop(name, None)
        self.sinks.pop(name, None)
        self.opened.pop(name, None)

    def begin(self, live: Iterable[str] = ()) -> None:
        """Begin a run, on the thread that drives it.

        Parameters
        ----------
        live : iterable of str
            The nodes whose prints shall appear at once.
        """
        self._live = set(live)
        self._thread, self._context = threading.get_ident(), copy_context()

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in the context of the run, whatever thread this is.

        So context variables are the user's, and Jupyter knows which cell it is that prints.
        """
        if threading.get_ident() == self._thread:
            return function(*arguments)
        return self._context.copy().run(function, *arguments)

    @contextmanager
    def attempt(self, name: str, function: Callable[..., object]) -> Iterator[int]:
        """Keep what a node shows, and note what it reads; yield how many attempts that makes.

        The sink is there at once, so that what is given up shows what it had printed.
        """
        sinks = self.sinks.setdefault(name, [])
        with capture(self.shell, live=name in self._live) as sink, noticed(function) as opened:
            self.opened[name] = opened
            sinks.append(sink)
            yield len(sinks)


def _filled(options: Options, usual: Options) -> Options:
    """Return options with those of others where they say nothing."""
    timeout = usual.timeout if options.timeout is None else options.timeout
    return options._replace(timeout=timeout, retries=options.retries or usual.retries)


_NONE = Exception()  # stands for no error


class NodeTask:
    """The function of one node's task, called with its inputs by keyword, once an attempt.

    Parameters
    ----------
    code : NodeCode
    inputs : tuple of str
        Those of its parameters that are nodes; the others are variables of the notebook.
    tasks : Tasks
        Where what it shows is put.
    options : Options
        Say how many attempts there may be.
    """

    def __init__(
        self, code: NodeCode, inputs: tuple[str, ...], tasks: Tasks, options: Options
    ) -> None:
        self._code = code
        self._tasks = tasks
        self._waits = tuple(options.waits())
        self._variables = tuple(each for each in code.parameters if each not in inputs)
        kind = inspect.Parameter.KEYWORD_ONLY
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in inputs])

    def __call__(self, **inputs: Any) -> Any:
        """Run the node's code and keep what it shows, also if it raises."""
        return self._tasks.run(self._attempt, inputs)

    def _attempt(self, inputs: Mapping[str, Any]) -> Any:
        code = self._code
        with self._tasks.attempt(code.name, code.function) as number, self._telling(number):
            return self._perform(inputs)

    @contextmanager
    def _telling(self, attempt: int) -> Iterator[None]:
        """Say where the node shows its outputs that another attempt follows a failed one."""
        try:
            yield
        except Exception as error:
            if attempt <= len(self._waits):
                wait = self._waits[attempt - 1]
                begins = f"in {seconds(wait)}" if wait else "now"
                failed = f"attempt {attempt} of {len(self._waits) + 1} failed"
                text = f"{failed} with {error_text(error)}; the next one begins {begins}"
                print(text, file=sys.stderr)
            raise

    def _perform(self, inputs: Mapping[str, Any]) -> Any:
        value: Any = self._code.call({**self.variables(), **inputs})
        if self._code.is_async:
            value = run_coroutine(value)
        if not self._code.shows:
            return value
        ending, value = value
        if not self._code.quiet:
            show(self._tasks.shell, ending)
        return value

    def depart(self) -> NodeElsewhere:
        """Return the function that stands for this one in another process."""
        let_travel(self._tasks.shell)
        return NodeElsewhere(replace(self._code, _body=None), self.variables())

    def arrive(self, report: Report) -> Report:
        """Show what the node showed there, and note what it read."""
        return self._tasks.run(self._arrived, report)  # type: ignore[no-any-return]  # as given

    def _arrived(self, report: Report) -> Report:
        code = self._code
        attempt = self._tasks.attempt(code.name, code.function)
        with suppress(type(report.error or _NONE)), attempt as number, self._telling(number):
            self._take_in(report)
        return report

    def _take_in(self, report: Report) -> None:
        if isinstance(report.beside, Brought):
            report.beside.show(self._tasks.shell)
            self._tasks.opened[self._code.name] = report.beside.opened
        if report.error is not None:
            raise report.error

    def variables(self) -> dict[str, Any]:
        """Return the values of those parameters that are variables of the notebook."""
        namespace = self._tasks.namespace
        return {name: namespace[name] for name in self._variables if name in namespace}
