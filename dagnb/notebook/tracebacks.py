"""Tracebacks that show the user's own lines and nothing of what called them.

The exception keeps its type and its full traceback, so ``%debug`` can go everywhere. What IPython
prints comes from its ``_render_traceback_``, which is given the frames of cells and of the user's
own modules only, for the whole chain of causes.
"""

from __future__ import annotations

import ast
import sysconfig
import traceback
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from dagnb.errors import DagError
from dagnb.notebook.capture import Output, Shell
from dagnb.notebook.cells import NodeCode

MOST_FRAMES = 40
_OURS = DagError | SyntaxError | KeyboardInterrupt
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


def cache_cell(
    shell: Shell, source: str, *, raw_cell: str, first_line: int, is_python: bool = True
) -> str:
    """Let tracebacks, the debugger and ``inspect`` find a node's source; return its file name.

    What is cached must be Python as a whole, or IPython shows no line of it. So the magic's own
    lines are left blank, and magics in the body appear as the calls they are turned into.

    Parameters
    ----------
    shell : InteractiveShell
    source : str
        The text below the magic.
    raw_cell : str
        The cell as typed; gives the file its name, so that the front end's debugger finds it.
    first_line : int
        The line of the cell where `source` starts.
    is_python : bool
        Another language is cached as a comment.
    """
    if not is_python:
        source = "".join(f"# {line}\n" for line in source.splitlines())
    elif not _is_python(source):
        source = shell.transform_cell(source)
    text = "\n" * (first_line - 1) + source
    filename: str = shell.compile.cache(text, shell.execution_count, raw_code=raw_cell)
    return filename


def user_traceback(shell: Shell, exception: BaseException, files: Container[str] = ()) -> list[str]:
    """Format an exception with the frames of the user's code only.

    Parameters
    ----------
    shell : InteractiveShell
        Whose style is used.
    exception : BaseException
        Also one that was raised in another thread.
    files : container of str
        File names to keep besides those of cells and of modules outside of the libraries.

    Returns
    -------
    list of str
        As in an ``error`` message of Jupyter, with colours.
    """
    with _user_frames_only(exception, files):
        if _speaks_for_itself(exception):
            return [f"{_RED}{type(exception).__name__}{_PLAIN}: {exception}".removesuffix(": ")]
        if any(isinstance(each, BaseExceptionGroup) for each in _chain(exception)):
            return "".join(traceback.format_exception(exception)).splitlines()
        return _formatted(shell, exception)


def show_user_frames(
    shell: Shell, exception: BaseException, files: Container[str] = ()
) -> BaseException:
    """Make IPython print `exception` with the user's frames only, when it is raised; return it."""
    if isinstance(exception, SyntaxError):
        _let_render(shell.SyntaxTB)
    exception._render_traceback_ = _Rendered(  # type: ignore[attr-defined]  # IPython's protocol
        tuple(user_traceback(shell, exception, files))
    )
    return exception


def error_output(shell: Shell, exception: BaseException, files: Container[str] = ()) -> Output:
    """Return an exception as the output of a cell."""
    return {
        "output_type": "error",
        "ename": type(exception).__name__,
        "evalue": str(exception),
        "traceback": user_traceback(shell, exception, files),
    }


def is_user_file(filename: str) -> bool:
    """Return whether a file is a cell or a module of the user's own.

    Examples
    --------
    >>> import json
    >>> is_user_file(json.__file__), is_user_file("<ipython-input-1-abc>")
    (False, True)
    """
    if filename.startswith("<"):
        return filename.startswith("<ipython-input")
    return not filename.startswith(_library_folders())


def _speaks_for_itself(exception: BaseException) -> bool:
    """Whether an error has no line of the user's to show: its message says it all."""
    is_ours = isinstance(exception, DagError | KeyboardInterrupt)
    return is_ours and all(each.__traceback__ is None for each in _chain(exception))


def _formatted(shell: Shell, exception: BaseException) -> list[str]:
    """Format with the frames that the exception has now, in the shell's style."""
    lines: list[str]
    if isinstance(exception, SyntaxError):
        frames = traceback.extract_tb(exception.__traceback__)
        lines = shell.SyntaxTB.structured_traceback(type(exception), exception, frames)
    else:
        lines = shell.InteractiveTB.structured_traceback(
            type(exception), exception, exception.__traceback__, tb_offset=0
        )
    return lines


def _let_render(formatter: Any) -> None:
    """Make IPython ask syntax errors for their ``_render_traceback_`` as it asks all others."""
    if "structured_traceback" in vars(formatter):
        return
    original = formatter.structured_traceback

    def structured_traceback(kind: object, value: object, *rest: Any, **options: Any) -> object:
        rendered = getattr(value, "_render_traceback_", None)
        return rendered() if rendered else original(kind, value, *rest, **options)

    formatter.structured_traceback = structured_traceback


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


@dataclass(frozen=True)
class _Rendered:
    """What ``_render_traceback_`` returns; picklable, so that the exception stays so."""

    lines: tuple[str, ...]

    def __call__(self) -> list[str]:
        return list(self.lines)


@cache
def _library_folders() -> tuple[str, ...]:
    """Return the folders of Python, of installed packages and of this package."""
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(kind) for kind in kinds}
    folders.add(str(Path(__file__).parents[1]))
    return tuple(f"{Path(folder)}/" for folder in sorted(folders))


@contextmanager
def _user_frames_only(exception: BaseException, files: Container[str]) -> Iterator[None]:
    """Take all other frames out of a chain of exceptions for a while."""
    whole = [(each, each.__traceback__) for each in _chain(exception)]
    try:
        for each, trace in whole:
            each.__traceback__ = _cut(each, trace, files)
        yield
    finally:
        for each, trace in whole:
            each.__traceback__ = trace


def _chain(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes, and the members of groups, each once."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [exception]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        todo += [each.__cause__, None if each.__suppress_context__ else each.__context__]
        if isinstance(each, BaseExceptionGroup):
            todo += each.exceptions


def _cut(
    exception: BaseException, trace: TracebackType | None, files: Container[str]
) -> TracebackType | None:
    """Return a traceback's user frames; all of it if there are none, for they would help least.

    Of a call that did not even begin, as with arguments of other names, the message says it all.
    """
    links = [*_links(trace)]
    kept = [each for each in links if _is_user_frame(each, files)]
    if not kept:
        is_said = isinstance(exception, _OURS) or (links and _is_call(links[-1]))
        return None if is_said else trace
    if len(kept) > MOST_FRAMES:  # a recursion: how it began and how it ended
        kept = kept[: MOST_FRAMES // 2] + kept[-MOST_FRAMES // 2 :]
    following = None
    for each in reversed(kept):
        following = TracebackType(following, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return following


def _links(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _is_call(link: TracebackType) -> bool:
    """Whether this is where the function of a node is called."""
    return link.tb_frame.f_code is NodeCode.call.__code__


def _is_user_frame(link: TracebackType, files: Container[str]) -> bool:
    filename = link.tb_frame.f_code.co_filename
    return filename in files or is_user_file(filename)
