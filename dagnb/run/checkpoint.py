"""The executor that can go on where a run ended."""

from __future__ import annotations

from dagnb.graph.dag import DAG
from dagnb.observe.hooks import HookRegistry
from dagnb.run.backends import Chosen
from dagnb.run.executors import DAGExecutor
from dagnb.run.resuming import CheckpointInfo, Folder

__all__ = ["CheckpointExecutor", "CheckpointInfo"]


class CheckpointExecutor(DAGExecutor):
    """Runs every node and saves each value at once, so that `resume` can go on from there.

    `execute` begins anew: it removes what an earlier run wrote, and no other file. `resume`
    uses the values of nodes that completed, as far as their code and inputs are the same; what
    failed, had not started, or has changed runs.

    Parameters
    ----------
    dag : DAG
    checkpoint_dir : path
        Made if it is not there. Holds ``_meta.json`` and a pickle ``<node>.pkl`` for each
        completed node, with unusual characters of the name percent-encoded.
    callbacks, fail_fast, enable_tracing, hooks, max_workers, backend
        As for `DAGExecutor`.

    Raises
    ------
    CheckpointError
        From a run, before it begins: the folder is a file, anybody can write to it, nothing can
        be written to it, or another run, in this process or another, writes to it now.

    Warns
    -----
    CheckpointWarning
        A file is missing, damaged or not ours: its node runs again, and all below it. Or a
        value cannot be written any more: the run goes on.

    Notes
    -----
    Every file is written under another name, synced, then renamed. A killed run loses the nodes
    that were running. ``_meta.json`` names the digest of every file and is signed with a key
    in the user's data folder; nothing is unpickled that this user's dagnb did not write. A
    value that does not pickle is no error: its node is COMPLETED, the result's ``reason`` and
    `CheckpointInfo` say that it is not saved, and it runs again on resume.

    What a task itself changes as it runs (a list that it appends to) is no part of its code
    here; what else it reads is.

    Examples
    --------
    >>> import tempfile
    >>> from dagnb import DAG, CheckpointExecutor
    >>> dag = DAG.builder().add_edge("download", "parse").build()
    >>> executor = CheckpointExecutor(dag, tempfile.mkdtemp())
    >>> result = executor.execute({"download": lambda: "1,2", "parse": lambda download: 1 / 0})
    >>> executor.checkpoint_info().failed_nodes
    ['parse']
    >>> result = executor.resume(
    ...     {"download": lambda: "1,2", "parse": lambda download: download.split(",")}
    ... )
    >>> result["parse"].result, result["download"].executed
    (['1', '2'], False)
    >>> executor.clear_checkpoint()
    """

    def __init__(  # noqa: PLR0917  # the order is promised
        self,
        dag: DAG,
        checkpoint_dir: Folder,
        callbacks: object = None,
        fail_fast: bool = True,
        enable_tracing: bool = False,
        hooks: HookRegistry | None = None,
        max_workers: int | None = None,
        *,
        backend: Chosen = None,
    ) -> None:
        if checkpoint_dir is None:
            raise TypeError("checkpoint_dir is a path, not None; DAGExecutor needs none")
        super().__init__(
            dag, max_workers, None, callbacks, fail_fast, enable_tracing, hooks,
            checkpoint_dir=checkpoint_dir, backend=backend,
        )  # fmt: skip
