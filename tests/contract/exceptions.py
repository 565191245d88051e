"""Where dagnb departs from what a documented example prints, and why: the whole list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Departure:
    """An example whose printed outcome is not ours, and the test of what is."""

    example: str
    printed: str
    ours: str
    why: str
    test: str


DEPARTURES = [
    Departure(
        example="incremental execution: a source is changed, the tasks below are constants",
        printed="everything below the source is recomputed, nothing is cut off",
        ours="the first node below is recomputed to the value it had, and cut off there",
        why="the example's tasks return constants; the same page defines early cutoff by value. "
        "With tasks that depend on their inputs the printed lists are ours too",
        test="test_a_constant_task_cuts_off",
    ),
    Departure(
        example="incremental execution: early cutoff, run right after the first run",
        printed="the source and the node below it are recomputed",
        ours="if the source itself comes out as before, it is cut off and nothing below runs",
        why="early cutoff holds for a node that is named as changed too; in the page's own order, "
        "where the source did change, the printed lists are ours",
        test="test_a_changed_node_is_cut_off_itself",
    ),
    Departure(
        example="incremental execution: fail-fast, run right after the early cutoff",
        printed="1 failed, 2 skipped",
        ours="0 failed, unless the source's value changed in this run",
        why="the example replaces the task of a node and names only its source as changed; the "
        "source's value is the same, so the node with the new task is not reached",
        test="test_a_failing_task_that_nothing_reaches_does_not_run",
    ),
    Departure(
        example="incremental execution: callbacks",
        printed="reused nodes are announced in between",
        ours="they are announced when the run is over",
        why="a run does not look at what it does not touch, so that its cost is that of what it "
        "does touch",
        test="test_reused_nodes_are_announced_at_the_end",
    ),
    Departure(
        example="executing tasks: statuses printed with %s",
        printed="FAILED",
        ours="NodeStatus.FAILED; .name is FAILED",
        why="statuses are members of an enum, which the page compares as such",
        test="test_fail_fast_is_the_default",
    ),
]
