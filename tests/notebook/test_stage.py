"""What threads show belongs to the present cell, and is shown again if there was none."""

from __future__ import annotations

from contextvars import ContextVar

from dagnb.notebook.stage import Stage

CELL: ContextVar[str] = ContextVar("cell", default="none")


class Page:
    """What was shown, and in which cell."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.shown: list[tuple[str, str]] = []

    def cell(self, name: str) -> None:
        """Begin a cell."""
        CELL.set(name)
        self.stage.enter()

    def show(self, text: str, what: str = "thing") -> None:
        """Show a thing."""
        self.stage.show(what, lambda: self.note(text), lambda: self.note(f"{text} again"))

    def note(self, text: str) -> None:
        """Note what is shown now."""
        self.shown.append((CELL.get(), text))


def test_in_the_present_cell() -> None:
    """What is shown while a cell is executed is shown once, whatever context asks."""
    page = Page()
    page.cell("first")
    CELL.set("elsewhere")
    page.show("a")
    page.stage.leave()
    page.cell("second")
    assert page.shown == [("first", "a")]


def test_between_two_cells() -> None:
    """It is shown in the last cell, and again in the next one; only its last showing is."""
    page = Page()
    page.cell("first")
    page.stage.leave()
    page.show("a")
    page.show("b")
    page.show("c", "other")
    page.cell("second")
    assert page.shown == [
        ("first", "a"),
        ("first", "b"),
        ("first", "c"),
        ("second", "b again"),
        ("second", "c again"),
    ]
    page.stage.leave()
    page.cell("third")
    assert len(page.shown) == 5


def test_while_a_cell_ends_and_another_begins() -> None:
    """What may have come too late for the one is shown again in the other, at once."""
    page = Page()
    page.cell("first")

    def slowly() -> None:
        page.note("a")
        page.stage.leave()
        page.cell("second")

    page.stage.show("thing", slowly, lambda: page.note("a again"))
    assert page.shown == [("first", "a"), ("second", "a again")]


def test_while_a_cell_ends() -> None:
    """The same if the next one begins later."""
    page = Page()
    page.cell("first")

    def slowly() -> None:
        page.note("a")
        page.stage.leave()

    page.stage.show("thing", slowly, lambda: page.note("a again"))
    page.cell("second")
    assert page.shown == [("first", "a"), ("second", "a again")]
