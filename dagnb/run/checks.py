"""What an executor refuses before anything runs, with the name of what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from dagnb.errors import NodeNotFoundError
from dagnb.graph.dag import DAG, DAGBuilder
from dagnb.graph.named import check_mapping


def check_dag(dag: object) -> None:
    """Refuse what is no graph."""
    if isinstance(dag, DAGBuilder):
        raise TypeError("dag is a DAG, not a DAGBuilder; give its build()")
    if not isinstance(dag, DAG):
        raise TypeError(f"dag is a DAG, not {dag!r}")


def check_tasks(dag: DAG, tasks: Mapping[str, Callable[..., Any]]) -> None:
    """Refuse a task that names no node or is not callable."""
    check_mapping(tasks, "tasks")
    known = dag.adjacency.ids
    if not tasks.keys() <= known.keys():
        unknown = next(name for name in tasks if name not in known)
        raise NodeNotFoundError(unknown, known, "tasks")
    if not all(map(callable, tasks.values())):
        name, task = next(each for each in tasks.items() if not callable(each[1]))
        raise TypeError(f"the task of node {str(name)!r} is not callable: {task!r}")


def check_workers(workers: int | None, option: str = "max_workers") -> int:
    """Return the number of workers: the number of CPUs unless asked otherwise."""
    if workers is None:
        return os.cpu_count() or 1
    if isinstance(workers, bool) or not isinstance(workers, int):
        raise TypeError(f"{option} is a whole number, not {workers!r}")
    if workers < 1:
        raise ValueError(f"{option} is at least 1, not {workers}")
    return workers


def check_limits(timeout: float | None, cancel_event: object) -> None:
    """Refuse a timeout that is no number of seconds, and an event that cannot be asked."""
    if cancel_event is not None and not callable(getattr(cancel_event, "is_set", None)):
        raise TypeError(f"cancel_event is a threading.Event, not {cancel_event!r}")
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, Real):
        raise TypeError(f"timeout is a number of seconds, not {timeout!r}")
    if not timeout >= 0:
        raise ValueError(f"timeout is a number of seconds from 0 on, not {timeout!r}")


def check_unlimited(timeout: float | None, cancel_event: object) -> None:
    """Refuse limits where nobody is left to look after them."""
    if timeout is not None or cancel_event is not None:
        raise ValueError(
            "backend='inline' runs tasks on the calling thread, which cannot watch the time "
            "meanwhile; leave timeout and cancel_event out, or use backend='threads'"
        )
