from __future__ import annotations

import pytest

from dagnb.results import Deferred, DeferredResult, NodeResult, NodeStatus


class Elsewhere(Deferred):
    """Counts how often it is loaded."""

    loads = 0

    def load(self) -> list[int]:
        """Return a value."""
        self.loads += 1
        return [1, 2]


def test_a_deferred_value_is_loaded_when_it_is_looked_at() -> None:
    """And not by making the result, nor by changing its other fields."""
    elsewhere = Elsewhere()
    result = DeferredResult("a", NodeStatus.CACHE_HIT, elsewhere, reason="stored")
    other = result.but(reason="reused")
    assert (other.reason, other.status, other.held) == ("reused", result.status, elsewhere)
    assert elsewhere.loads == 0
    assert other.result == [1, 2]
    assert elsewhere.loads == 1


def test_a_deferred_result_refuses_assignments_as_any_other() -> None:
    """Results do not change."""
    with pytest.raises(AttributeError):
        DeferredResult("a", NodeStatus.CACHE_HIT, Elsewhere()).result = 3  # type: ignore[misc]


def test_a_value_that_is_there_is_held_as_itself() -> None:
    """`but` keeps it."""
    value = [3]
    result = NodeResult("a", NodeStatus.COMPLETED, value).but(reason="other")
    assert result.held is result.result is value
