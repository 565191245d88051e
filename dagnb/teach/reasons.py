"""What results say of themselves, for sentences."""

from __future__ import annotations

from dagnb.results import NodeResult

_SAME = "; same value as before"


def because(result: NodeResult) -> str:
    """Return what a node did and why, to follow its name.

    Examples
    --------
    >>> from dagnb import NodeStatus
    >>> reason = "ran: input a changed; same value as before"
    >>> because(NodeResult("b", NodeStatus.COMPLETED, reason=reason, executed=True))
    'ran: input a changed'
    """
    why = result.reason.removesuffix(_SAME)
    if not result.executed:
        return f"did not run: {why}"
    if why.startswith(("ran ", "ran: ")):
        return why
    return f"ran because {why}" if why else "ran"
