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
    Departure(
        example="executing tasks: costs, given to the graph of the examples before",
        printed="costs of nodes that this graph does not have are taken without a word",
        ours="NodeNotFoundError before anything runs",
        why="a misspelt name would be a cost that silently counts for nothing",
        test="test_costs_of_unknown_nodes_are_refused",
    ),
    Departure(
        example="executing tasks: best effort",
        printed="only direct descendants of a failed node are skipped",
        ours="all its descendants are",
        why="what is further below would run without what it needs",
        test="test_all_that_is_below_a_failure_is_skipped",
    ),
    Departure(
        example="executing tasks: callbacks",
        printed="called on the thread that completed the task",
        ours="called on the thread that called execute, one at a time",
        why="a callback that counts or draws then needs no lock",
        test="test_callbacks_are_called_by_the_driver",
    ),
    Departure(
        example="executing tasks: timeouts of single nodes",
        printed="part of a system for scheduling resources",
        ours="an option of the task",
        why="the resources are on no page that is implemented here; the timeout is of use alone",
        test="test_a_node_has_a_timeout_by_its_task",
    ),
    Departure(
        example="checkpointing: a previous checkpoint is cleared, all files are deleted",
        printed="whatever is in the folder",
        ours="only files that a run wrote there",
        why="a wrong path would delete what is not ours",
        test="test_only_own_files_are_cleared",
    ),
    Departure(
        example="checkpointing: a resumed run skips nodes that completed",
        printed="by name alone",
        ours="if code, inputs and file are what they were",
        why="a value of other code, or a damaged one, would be served as new",
        test="test_a_changed_task_is_not_skipped",
    ),
    Departure(
        example="the runner: a node runs to the value that it had",
        printed="all below a changed node is rebuilt",
        ours="what reads a value that came out the same is cached",
        why="what is below a changed node is rebuilt because its input is another one, and here it "
        "is not; an executor of one's own that returns a report is never taken to be the same",
        test="test_changes_are_detected",
    ),
    Departure(
        example="the runner: old_manifest",
        printed="needed, or no change is found",
        ours="the state decides; the old manifest gives the reasons",
        why="a run that was killed would otherwise do twice what it had finished",
        test="test_changes_are_found_without_an_old_manifest",
    ),
]

# What dagron 0.1.1 does and its documentation does not say: code written against it finds these.
DIFFERENCES = [
    Departure(
        example="code: a node that is named as changed comes out the same",
        printed="its dependents run once more",
        ours="they do not",
        why="early cutoff is by value, whatever the reason for running was",
        test="test_a_changed_node_is_cut_off_itself",
    ),
    Departure(
        example="code: the graph after a dynamic run",
        printed="as it was before; a copy was modified",
        ours="modified in place",
        why="the documentation says so",
        test="test_the_graph_is_modified_in_place",
    ),
    Departure(
        example="code: expanders of nodes that an expansion will add",
        printed="given to the executor, by names that are not there yet",
        ours="NodeNotFoundError; the new node brings its expander",
        why="a misspelt name would be an expander that is silently never asked",
        test="test_new_nodes_bring_their_expanders",
    ),
    Departure(
        example="code: the nodes of a step of a plan",
        printed="records with a node, a start and a duration",
        ours="names",
        why="the documentation prints nodes=['a']",
        test="test_the_plan_prints_by_level",
    ),
    Departure(
        example="code: handles of nodes",
        printed="two handles of the same name are equal if they are of the same node",
        ours="a handle is its name, as text; a stale one is refused where it is used",
        why="what takes a name takes a handle, and lists of nodes print as lists of names",
        test="test_a_handle_is_accepted_where_a_name_is",
    ),
    Departure(
        example="code: traces have events of steps, and a summary of counts",
        printed="a step starts and completes around the nodes of a level",
        ours="no such events; the summary has a line a node",
        why="a node starts when its own inputs are ready: there are no levels to wait for",
        test="test_a_trace_has_no_steps",
    ),
    Departure(
        example="code: a function without @task in a pipeline",
        printed="TypeError",
        ours="taken by its name",
        why="nothing is gained by refusing it",
        test="test_a_plain_function_is_a_task",
    ),
]
