"""A shell without a kernel that keeps below each cell what a front end would show there."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, cast

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from dagnb.notebook.capture import Output, Sink, bundle

LIMIT_BYTES = 50_000_000  # of text below one cell
_NO_HISTORY = Config({"HistoryManager": {"enabled": False}})


class Sheet:
    """What the cells of a notebook show, in the form of its file.

    A display that is updated changes wherever it stands, as on a page.
    """

    def __init__(self) -> None:
        self._cells: dict[str, _CellOutputs] = {}
        self._current = _CellOutputs()

    def begin(self, cell: str) -> None:
        """Let what follows belong to a cell, from its start."""
        self._current = self._cells[cell] = _CellOutputs()

    def outputs(self, cell: str) -> list[Output]:
        """Return what stands below a cell."""
        return self._cells[cell].outputs()

    def write(self, name: str, text: str) -> None:
        """Take a piece of a stream."""
        self._current.text(name, text)

    def show(self, output: Output, display_id: str | None = None) -> None:
        """Take an output."""
        self._current.put(output, display_id)

    def update(self, shown: Output, display: str) -> None:
        """Replace a display in every cell that has it."""
        for cell in self._cells.values():
            cell.update(shown, display)

    def clear(self, *, wait: bool) -> None:
        """Take the outputs of the present cell away, at once or when the next one comes."""
        self._current.clear(wait=wait)


class _CellOutputs:
    """The outputs of one cell: runs of text, kept as sinks, and whole outputs."""

    def __init__(self) -> None:
        self._parts: list[Sink | Output] = []
        self._displays: dict[str, list[Output]] = {}
        self._clear_next = False

    def text(self, name: str, text: str) -> None:
        self._begin()
        if not self._parts or not isinstance(self._parts[-1], Sink):
            self._parts.append(Sink(limit_bytes=LIMIT_BYTES))
        part = self._parts[-1]
        assert isinstance(part, Sink)
        part.write(name, text)

    def put(self, output: Output, display_id: str | None) -> None:
        self._begin()
        self._parts.append(output)
        if display_id is not None:
            self._displays.setdefault(display_id, []).append(output)

    def update(self, shown: Output, display: str) -> None:
        for output in self._displays.get(display, ()):
            output.update(shown)

    def clear(self, *, wait: bool) -> None:
        self._clear_next = True
        if not wait:
            self._begin()

    def _begin(self) -> None:
        if self._clear_next:
            self._parts, self._displays, self._clear_next = [], {}, False

    def outputs(self) -> list[Output]:
        found: list[Output] = []
        for part in self._parts:
            found += part.outputs if isinstance(part, Sink) else [part]
        return found


class SheetStream(io.TextIOBase):
    """A text stream whose text lands below the present cell."""

    def __init__(self, name: str, sheet: Sheet) -> None:
        self._name, self._sheet = name, sheet

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only here
        """What text would be written as."""
        return "utf-8"

    def writable(self) -> bool:
        """Whether it takes text: yes."""
        return True

    def write(self, text: str, /) -> int:
        """Take text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._sheet.write(self._name, text)
        return len(text)


class _Publisher(DisplayPublisher):
    """Gives displays to the sheet."""

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *_: object,
        transient: Mapping[str, str] | None = None,
        update: bool = False,
        **__: object,
    ) -> None:
        """Show a display, or update one."""
        shown, display = bundle(data, metadata or {}), (transient or {}).get("display_id")
        if update:
            self.shell.sheet.update(shown, display or "")
        else:
            self.shell.sheet.show({"output_type": "display_data", **shown}, display)

    def clear_output(self, wait: bool = False) -> None:
        """Take the outputs of the present cell away."""
        self.shell.sheet.clear(wait=wait)


class _DisplayHook(DisplayHook):
    """Gives what cells end with to the sheet."""

    def write_output_prompt(self) -> None:
        """Write none: the count is part of the output."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        """Show a value."""
        if format_dict:
            shell = cast(SheetShell, self.shell)
            count = {"execution_count": shell.execution_count}
            shown = bundle(format_dict, md_dict or {})
            shell.sheet.show({"output_type": "execute_result", **shown, **count})

    def finish_displayhook(self) -> None:
        """Write nothing more."""


class SheetShell(InteractiveShell):
    """A shell in this process whose cells keep their outputs, as those of a kernel do.

    Attributes
    ----------
    sheet : Sheet
    """

    keeps_outputs = True
    displayhook_class = Type(_DisplayHook)
    display_pub_class = Type(_Publisher)
    sheet: Sheet

    @classmethod
    def begin(cls) -> SheetShell:
        """Make the one shell of this process."""
        shell: SheetShell = cls.instance(config=_NO_HISTORY)
        return shell

    def init_display_pub(self) -> None:
        """Make the sheet before what shows in it."""
        self.sheet = Sheet()
        InteractiveShell.init_display_pub(self)

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: there is no window."""

    def _showtraceback(self, etype: Any, evalue: BaseException, stb: list[str]) -> None:
        name = str(getattr(etype, "__name__", etype))
        self.sheet.show(
            {"output_type": "error", "ename": name, "evalue": str(evalue), "traceback": list(stb)}
        )
