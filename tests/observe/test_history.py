"""The last executions of each node."""

from __future__ import annotations

from dagnb.events import NodeSettled
from dagnb.observe.history import KEPT, History
from dagnb.results import NodeResult, NodeStatus


def settled(status: NodeStatus = NodeStatus.COMPLETED, **fields: object) -> NodeSettled:
    """A node that was executed."""
    facts: dict[str, object] = {"executed": True, "duration_seconds": 1.0} | fields
    return NodeSettled(NodeResult("a", status, **facts))  # type: ignore[arg-type]


def test_only_executions_count() -> None:
    """What was reused or skipped took no time."""
    history = History()
    history(settled(NodeStatus.SKIPPED, executed=False))
    history(settled(NodeStatus.CACHE_HIT, executed=False))
    history(settled(NodeStatus.FAILED))
    assert [each.succeeded for each in history.of("a")] == [False]
    assert history.of("b") == ()


def test_old_ones_are_forgotten() -> None:
    """The newest stay, the oldest of them first."""
    history = History()
    for second in range(KEPT + 5):
        history(settled(duration_seconds=float(second)))
    assert [each.seconds for each in history.of("a")] == [float(s) for s in range(5, KEPT + 5)]


def test_how_often_it_came_out_different() -> None:
    """The first time and failures do not count."""
    history = History()
    assert history.share_changed("a") is None
    history(settled(changed=True))
    assert history.share_changed("a") is None
    for changed in (False, False, True, False):
        history(settled(changed=changed))
    history(settled(NodeStatus.FAILED, changed=True))
    assert history.share_changed("a") == 0.25
