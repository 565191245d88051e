"""Text widths without a font."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dagnb.render.measure import shorten, text_width


@given(st.text(max_size=60), st.floats(20, 300))
def test_a_shortened_text_fits(text: str, room: float) -> None:
    """Whatever the text, it is no wider than its room."""
    assert text_width(shorten(text, room)) <= room


@given(st.text(max_size=60))
def test_a_text_that_fits_is_not_cut(text: str) -> None:
    """Only white space is made even."""
    assert "…" in text or "…" not in shorten(text, 100_000)


def test_marks_and_joiners_have_no_width() -> None:
    """An accent stands above its letter."""
    assert text_width("e\u0301") == text_width("e")
