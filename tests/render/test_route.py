"""Edges are short and smooth, and leave nodes alone."""

from __future__ import annotations

from dagnb.render.route import route

NODES = {
    "from": (200.0, 0.0, 80.0, 28.0),
    "near": (129.0, 58.0, 92.0, 28.0),
    "aside": (0.0, 116.0, 108.0, 28.0),
    "to": (80.0, 174.0, 80.0, 28.0),
}


def test_an_edge_spreads_its_bend() -> None:
    """It is straight beside the node in its way; after that it passes nothing but its end."""
    [curve] = route(NODES, [("from", "to")], "TB")
    ends = curve[::3]
    assert ends == ((240.0, 28.0), (240.0, 58.0), (240.0, 86.0), (120.0, 174.0))


def test_no_edge_makes_a_detour() -> None:
    """It stays between its ends where there is a way."""
    [curve] = route(NODES, [("from", "to")], "TB")
    assert all(120.0 <= x <= 240.0 for x, _ in curve)
