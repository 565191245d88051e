"""A notebook file: its cells as they stand, and the same file with other outputs.

Only the outputs and counts of cells that were executed are written anew, at their places in the
text. Whatever else is in the file stays as it is, byte for byte: indentation, the order of keys,
metadata that nobody knows, the end of the last line.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from json.decoder import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any, NamedTuple

from dagnb.errors import NotebookError, did_you_mean
from dagnb.notebook.capture import Output
from dagnb.values import durable

_DECODER = JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_DEPTH = 3  # of a cell's keys: notebook, list of cells, cell


class Member(NamedTuple):
    """Where a key of an object stands in a text, and its value."""

    key: str
    at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell.

    Attributes
    ----------
    number : int
        Its place among all cells, from 1.
    id : str
        Its id; made up from its place where the file has none.
    source : str
    tags : frozenset of str
    outputs : list of dict
        What stands below it in the file.
    count : int or None
        The number beside it.
    """

    number: int
    id: str
    source: str
    tags: frozenset[str]
    outputs: list[Any]
    count: int | None


@dataclass(frozen=True, slots=True)
class Ran:
    """What stands below a cell after it was executed, and the number beside it."""

    outputs: Sequence[Output]
    count: int | None


class NotebookFile:
    """The text of a notebook file, and its code cells.

    Parameters
    ----------
    path : Path
    text : str

    Attributes
    ----------
    cells : list of Cell
        The code cells, in order.

    Raises
    ------
    NotebookError
        It is no notebook, or of an old format.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.cells = [_cell(number, each) for number, each in _code_cells(path, text)]

    @classmethod
    def read(cls, path: Path) -> NotebookFile:
        """Read a file.

        Raises
        ------
        NotebookError
            There is no such file, it cannot be read, or it is no notebook.
        """
        try:
            return cls(path, path.read_bytes().decode("utf-8"))
        except IsADirectoryError:
            raise NotebookError(f"{path} is a folder; name a notebook in it") from None
        except FileNotFoundError:
            raise NotebookError(f"there is no file {path}{_nearest_file(path)}") from None
        except UnicodeDecodeError:
            raise NotebookError(f"{path} is no notebook: it is not text in UTF-8") from None
        except OSError as error:
            raise NotebookError(f"{path} cannot be read: {error.strerror}") from None

    def with_outputs(self, ran: Mapping[int, Ran]) -> str:
        """Return the text with other outputs below some cells, given by their numbers."""
        pieces, at = [], 0
        for start, end, new in self._changes(ran):
            pieces += [self.text[at:start], new]
            at = end
        return "".join([*pieces, self.text[at:]])

    def save(self, ran: Mapping[int, Ran], target: Path | None = None) -> None:
        """Write the file with other outputs, in one step.

        Parameters
        ----------
        ran : mapping of int to Ran
        target : Path, optional
            Where to; by default in place of the one that was read.

        Raises
        ------
        NotebookError
            It cannot be written, or somebody else has changed it since it was read; then the
            outputs are in another file, which the message names.
        """
        place = (target or self.path).resolve()
        new = self.with_outputs(ran)
        if target is None and self._was_changed():
            place = self.path.with_name(f"{self.path.stem}.ran.ipynb").resolve()
            _write(place, new)
            raise NotebookError(
                f"{self.path} was changed while it ran, so it is left as it is; "
                f"what this run gave is in {place.name}"
            )
        if target is not None or new != self.text:
            _write(place, new)

    def check_writable(self, target: Path | None = None) -> None:
        """Refuse a place where nothing can be written, before anything runs.

        Raises
        ------
        NotebookError
        """
        place = (target or self.path).resolve()
        if not place.parent.is_dir():
            raise NotebookError(f"there is no folder {place.parent}; make it first")
        if place.is_dir():
            raise NotebookError(f"{target} is a folder; name a file in it")
        try:
            if place.exists() and not os.access(place, os.W_OK):
                raise PermissionError(errno.EACCES, "it is read-only")
            os.unlink(place.parent / durable.write_temporary(place.parent, sync=False))
        except OSError as error:
            reason = f"{place} cannot be written: {error.strerror}"
            raise NotebookError(f"{reason}; choose another place with -o") from None

    def _was_changed(self) -> bool:
        try:
            return self.path.read_bytes() != self.text.encode("utf-8")
        except OSError:
            return True

    def _changes(self, ran: Mapping[int, Ran]) -> Iterator[tuple[int, int, str]]:
        """Yield the places in the text where something else shall stand, and what."""
        ascii_only = self.text.isascii() and "\\u" in self.text
        for cell, span in zip(self.cells, _code_spans(self.text), strict=True):
            new = ran.get(cell.number)
            if new is None:
                continue
            values = {"execution_count": new.count, "outputs": _split(new.outputs)}
            olds = {"execution_count": cell.count, "outputs": cell.outputs}
            for member in span:
                if member.key in values and values[member.key] != olds[member.key]:
                    text = _dumped(self.text, member, values[member.key], ascii_only=ascii_only)
                    yield member.start, member.end, text


def _nearest_file(path: Path) -> str:
    folder = path.parent if path.parent.is_dir() else Path()
    return did_you_mean(path.name, (each.name for each in folder.glob("*.ipynb")))


def _write(place: Path, text: str) -> None:
    try:
        temporary = place.parent / durable.write_temporary(place.parent, text.encode("utf-8"))
        if place.exists():
            shutil.copymode(place, temporary)
        else:
            temporary.chmod(0o666 & ~_umask())
        durable.place(temporary, place)
    except OSError as error:
        raise NotebookError(f"{place} cannot be written: {error.strerror}") from error


def _umask() -> int:
    """Return the bits that new files shall not have; there is no other way to ask."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


# -- reading the text ---------------------------------------------------------------------


def _code_cells(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the code cells of a text with their numbers.

    Raises
    ------
    NotebookError
        It is no notebook of this format.
    """
    try:
        content = json.loads(text.removeprefix("\ufeff"))
    except JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotebookError(f"{path} is no notebook: {error.msg} at {where}") from None
    _check_format(path, content)
    for number, cell in enumerate(content["cells"], 1):
        if cell["cell_type"] == "code":
            yield number, cell


def _check_format(path: Path, content: Any) -> None:
    if not isinstance(content, dict) or "nbformat" not in content:
        raise NotebookError(f"{path} is no notebook: it does not say its format (nbformat)")
    number = content["nbformat"]
    if number != 4:
        raise NotebookError(
            f"{path} has notebook format {number}, and only 4 can be run; convert it with "
            f"jupyter nbconvert --to notebook --inplace {path}"
        )
    if _follows_schema(content):
        return
    import nbformat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            nbformat.validate(content, relax_add_props=True)
        except nbformat.ValidationError as error:
            reason = str(error).strip().splitlines()[0]
            raise NotebookError(f"{path} is no valid notebook: {reason}") from None


def _follows_schema(content: Mapping[str, Any]) -> bool:
    """Whether a notebook is as its format says to the letter; what is not, nbformat judges.

    Importing nbformat takes seconds where all of Jupyter is installed, this a tenth of one.
    """
    from fastjsonschema import JsonSchemaException

    try:
        _schema(str(content.get("nbformat_minor")))(content)
    except (OSError, JsonSchemaException):
        return False
    return True


@cache
def _schema(minor: str) -> Callable[[Any], object]:
    """Return what checks a notebook by the schema that nbformat has of a minor version."""
    from fastjsonschema import compile as compiled

    spec = find_spec("nbformat")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).with_name("v4") / f"nbformat.v4.{minor}.schema.json"
    check: Callable[[Any], object] = compiled(json.loads(file.read_text()), use_default=False)
    return check


def _cell(number: int, content: Mapping[str, Any]) -> Cell:
    source, tags = content["source"], content["metadata"].get("tags", ())
    return Cell(
        number,
        str(content.get("id") or f"cell-{number}"),
        source if isinstance(source, str) else "".join(source),
        frozenset(map(str, tags)),
        content["outputs"],
        content["execution_count"],
    )


def _code_spans(text: str) -> Iterator[list[Member]]:
    """Yield where the keys of each code cell stand."""
    start = len(text) - len(text.removeprefix("\ufeff"))
    notebook = {each.key: each for each in _members(text, _skip(text, start))}
    for start in _elements(text, notebook["cells"].start):
        members = list(_members(text, start))
        kinds = [text[each.start : each.end] for each in members if each.key == "cell_type"]
        if kinds == ['"code"']:
            yield members


def _members(text: str, start: int) -> Iterator[Member]:
    """Yield the members of the object that begins at a place."""
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        begins = _skip(text, _skip(text, end) + 1)  # behind the colon
        end = _DECODER.raw_decode(text, begins)[1]
        yield Member(key, at, begins, end)
        at = _behind_comma(text, end)


def _elements(text: str, start: int) -> Iterator[int]:
    """Yield where the elements of the list begin that begins at a place."""
    at = _skip(text, start + 1)
    while text[at] != "]":
        yield at
        at = _behind_comma(text, _DECODER.raw_decode(text, at)[1])


def _behind_comma(text: str, at: int) -> int:
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


# -- writing ------------------------------------------------------------------------------


def _split(outputs: Sequence[Output]) -> list[Any]:
    """Return outputs as they stand in a file: long text in lines."""
    from nbformat import from_dict
    from nbformat.v4 import new_code_cell, new_notebook
    from nbformat.v4.rwbase import split_lines

    cell = new_code_cell(outputs=[from_dict(dict(each)) for each in outputs])
    split_lines(new_notebook(cells=[cell]))
    return [json.loads(json.dumps(each)) for each in cell.outputs]


def _dumped(text: str, member: Member, value: object, *, ascii_only: bool) -> str:
    """Return a value as it shall stand in place of another, indented as the file is."""
    begins = text.rfind("\n", 0, member.at) + 1
    indent = text[begins : member.at]
    if indent.strip(" \t") or not begins:  # all in one line
        separators = (",", ":") if text[member.start - 1] == ":" else (", ", ": ")
        return json.dumps(value, sort_keys=True, separators=separators, ensure_ascii=ascii_only)
    dumped = json.dumps(
        value,
        indent=indent[: len(indent) // _DEPTH],
        sort_keys=True,
        separators=(",", ": "),
        ensure_ascii=ascii_only,
    )
    newline = "\r\n" if text[:begins].endswith("\r\n") else "\n"
    return dumped.replace("\n", newline + indent)
