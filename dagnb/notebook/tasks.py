"""The tasks of nodes: their functions, called with the notebook's variables, outputs kept."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Any

from dagnb.notebook.capture import Shell, Sink, capture
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.display import show
from dagnb.notebook.elsewhere import Brought, NodeElsewhere, let_travel
from dagnb.notebook.node import ONE_ATTEMPT, NotebookNode
from dagnb.notebook.opened import Opened, noticed
from dagnb.notebook.relay import show_news
from dagnb.observe.text import error_text, seconds
from dagnb.run.call import Report
from dagnb.run.coroutines import run_coroutine
from dagnb.run.remote.backend import Send
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
        """Keep what a node shows, and note what it reads; yield how many attempts that makes."""
        with self.showing(name) as number, noticed(function) as opened:
            self.opened[name] = opened
            yield number

    @contextmanager
    def showing(self, name: str) -> Iterator[int]:
        """Keep what a node shows; yield how many attempts that makes.

        The sink is there at once, so that what is given up shows what it had printed.
        """
        sinks = self.sinks.setdefault(name, [])
        with capture(self.shell, live=self.is_live(name)) as sink:
            sinks.append(sink)
            yield len(sinks)

    def is_live(self, name: str) -> bool:
        """Whether what a node shows shall appear at once."""
        return name in self._live


def _filled(options: Options, usual: Options) -> Options:
    """Return options with those of others where they say nothing."""
    timeout = usual.timeout if options.timeout is None else options.timeout
    return options._replace(timeout=timeout, retries=options.retries or usual.retries)


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
        with self._tasks.attempt(code.name, code.function) as number:
            try:
                return self._perform(inputs)
            except Exception as error:
                self._tell_failure(number, error)
                raise

    def _tell_failure(self, attempt: int, error: Exception) -> None:
        """Say where the node shows its outputs that another attempt follows a failed one."""
        if attempt <= len(self._waits):
            wait = self._waits[attempt - 1]
            begins = f"in {seconds(wait)}" if wait else "now"
            failed = f"attempt {attempt} of {len(self._waits) + 1} failed"
            text = f"{failed} with {error_text(error)}; the next one begins {begins}"
            print(text, file=sys.stderr)

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

    def travel(self, send: Send) -> Report:
        """Have the code run elsewhere, and show what it shows there as if it ran here."""
        return self._tasks.run(self._away, send)  # type: ignore[no-any-return]  # as given

    def _away(self, send: Send) -> Report:
        code, tasks = self._code, self._tasks
        let_travel(tasks.shell)
        is_live = tasks.is_live(code.name)
        there = NodeElsewhere(replace(code, _body=None), self.variables(), is_live=is_live)
        hear = partial(show_news, tasks.shell) if is_live else None
        with tasks.showing(code.name) as number:
            report = send(there, hear)
            if isinstance(report.beside, Brought):
                report.beside.show(tasks.shell)
                tasks.opened[code.name] = report.beside.opened
            if isinstance(report.error, Exception) and not report.overdue:
                self._tell_failure(number, report.error)
        return report

    def variables(self) -> dict[str, Any]:
        """Return the values of those parameters that are variables of the notebook."""
        namespace = self._tasks.namespace
        return {name: namespace[name] for name in self._variables if name in namespace}
