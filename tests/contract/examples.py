"""Every example of the documentation, in its order there, and the tests that hold us to it."""

from __future__ import annotations

EXAMPLES: dict[str, list[tuple[str, list[str]]]] = {
    "executing tasks": [
        ("a diamond of constants", ["test_a_diamond_runs"]),
        ("constructor parameters", ["test_the_constructor_takes_the_documented_parameters"]),
        (
            "execute with a timeout and a cancel event",
            ["test_execute_takes_the_documented_parameters"],
        ),
        (
            "counts, duration, results by node",
            [
                "test_the_result_has_counts_and_a_duration",
                "test_a_node_result_has_the_documented_fields",
            ],
        ),
        ("the table of statuses", ["test_there_are_eight_statuses"]),
        ("comparing a status", ["test_a_status_is_compared_by_member"]),
        ("fail-fast", ["test_fail_fast_is_the_default"]),
        (
            "best effort",
            [
                "test_best_effort_runs_independent_branches",
                "test_all_that_is_below_a_failure_is_skipped",
            ],
        ),
        ("one deadline for the run", ["test_a_timeout_marks_what_still_runs"]),
        ("timeouts of single nodes", ["test_a_node_has_a_timeout_by_its_task"]),
        ("cancelling from another thread", ["test_a_run_can_be_cancelled_from_outside"]),
        ("cancelling by a signal", ["test_ctrl_c_can_be_made_a_cancel"]),
        (
            "callbacks that print",
            ["test_callbacks_are_called", "test_callbacks_are_called_by_the_driver"],
        ),
        ("a progress tracker", ["test_progress_is_printed", "test_progress_adds_up"]),
        ("costs", ["test_costs_are_taken", "test_costs_of_unknown_nodes_are_refused"]),
        (
            "coroutines on the event loop",
            [
                "test_coroutines_run_on_the_loop",
                "test_both_executors_take_the_same_options",
                "test_the_loop_has_a_timeout",
            ],
        ),
        ("a pipeline of three tasks", ["test_a_pipeline_passes_values_by_name"]),
        ("two parameters, two edges", ["test_edges_follow_from_parameters"]),
        (
            "a pipeline on the event loop",
            [
                "test_a_pipeline_runs_on_the_loop_too",
                "test_a_pipeline_takes_the_documented_options",
            ],
        ),
        (
            "the number of workers",
            ["test_workers_are_limited", "test_the_default_is_one_worker_a_cpu"],
        ),
        ("the plan, step by step", ["test_the_plan_prints_by_level"]),
        ("everything together", ["test_everything_together"]),
    ],
    "incremental execution": [
        ("a first run", ["test_the_first_run_executes_everything"]),
        (
            "one source changed",
            ["test_a_changed_source_recomputes_what_is_below", "test_a_constant_task_cuts_off"],
        ),
        ("early cutoff", ["test_an_equal_value_cuts_off", "test_a_changed_node_is_cut_off_itself"]),
        ("constructor parameters", ["test_the_constructor_takes_the_documented_parameters"]),
        ("the result and its three lists", ["test_the_result_extends_the_common_one"]),
        ("naming what changed", ["test_a_changed_source_recomputes_what_is_below"]),
        ("the dirty set", ["test_the_dirty_set"]),
        ("change provenance", ["test_the_provenance_prints"]),
        ("callbacks", ["test_reused_nodes_are_announced_at_the_end"]),
        (
            "fail-fast, with its table",
            [
                "test_fail_fast_skips_what_is_below",
                "test_a_failing_task_that_nothing_reaches_does_not_run",
            ],
        ),
        ("training a model", ["test_a_training_pipeline"]),
        ("tracing", ["test_the_trace_shows_what_was_recomputed_and_what_reused"]),
        ("advice: combine with checkpoints", ["test_incremental_runs_can_be_checkpointed"]),
        ("advice: count cutoffs", ["test_cutoffs_can_be_counted"]),
    ],
    "dynamic execution": [
        ("constructor parameters", ["test_the_constructor_takes_the_documented_parameters"]),
        (
            "a node for every file",
            ["test_a_node_for_every_file", "test_the_graph_is_modified_in_place"],
        ),
        (
            "adding, removing, both",
            ["test_a_modification_can_add_remove_or_both", "test_a_node_is_replaced"],
        ),
        ("a spec", ["test_a_spec_has_the_documented_fields"]),
        ("map and reduce", ["test_map_reduce"]),
        ("a callback that prints names", ["test_the_callback_prints_the_names"]),
        ("no cycles, no duplicates", ["test_cycles_and_taken_names_are_raised"]),
        ("nothing is executed twice", ["test_nothing_is_executed_twice"]),
        ("expanders may run again", ["test_an_expander_is_asked_again_when_a_run_is_resumed"]),
    ],
    "checkpointing": [
        ("constructor parameters", ["test_the_constructor_takes_the_documented_parameters"]),
        (
            "execute",
            ["test_a_run_is_saved", "test_execute_begins_anew", "test_both_ways_to_run_take_tasks"],
        ),
        ("resume", ["test_a_run_goes_on_after_a_failure", "test_a_changed_task_is_not_skipped"]),
        ("checkpoint_info, or None", ["test_the_state_of_a_checkpoint"]),
        ("clear_checkpoint", ["test_a_checkpoint_is_cleared", "test_only_own_files_are_cleared"]),
        ("the fields of the info", ["test_the_info_is_a_record"]),
        ("the complete example", ["test_the_whole_example"]),
        ("the layout of the folder", ["test_the_layout"]),
    ],
}
