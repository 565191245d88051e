"""The command line, ``dagnb``: what the magics do, from a terminal, a CI job or cron."""

from __future__ import annotations

import click

from dagnb.cli.ask import graph, plan, status, why
from dagnb.cli.commands import Group
from dagnb.cli.compare import diff
from dagnb.cli.run import run, trace
from dagnb.cli.store import store
from dagnb.cli.test import test


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dagnb")
def main() -> None:
    """Run notebooks as graphs: only what changed, with the values that Jupyter saved.

    \b
      dagnb run report.ipynb                 run what is stale, write the outputs back
      dagnb run report.ipynb -p limit 20     with another value for a parameter
      dagnb plan report.ipynb                say what would run, and why
      dagnb why report.ipynb totals          say why one node would, or would not
      dagnb run pipeline.json                run a pipeline described in JSON
      dagnb store ls                         list the saved values

    A value that was computed in JupyterLab is not computed again here, and the other way round.
    """  # noqa: D301  # click wants the character, not its name


for command in (run, plan, status, why, graph, diff, trace, test, store):
    main.add_command(command)
