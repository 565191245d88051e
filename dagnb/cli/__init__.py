"""The command line, ``dagnb``: what the magics do, from a terminal, a CI job or cron."""

from __future__ import annotations

from importlib import import_module

import click

from dagnb.cli.commands import Group

HOMES = {
    "run": "dagnb.cli.run",
    "plan": "dagnb.cli.ask",
    "status": "dagnb.cli.ask",
    "why": "dagnb.cli.ask",
    "graph": "dagnb.cli.ask",
    "diff": "dagnb.cli.compare",
    "export": "dagnb.cli.export",
    "trace": "dagnb.cli.run",
    "test": "dagnb.cli.test",
    "store": "dagnb.cli.store",
}


class Commands(Group):
    """The commands, each imported when it is asked for: completion is not to wait for Jupyter."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which help lists them."""
        return list(HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None if there is none of this name."""
        if cmd_name not in HOMES:
            return None
        found: click.Command = getattr(import_module(HOMES[cmd_name]), cmd_name)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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

    \b
    Completion by Tab, in the file that your shell reads first:
      bash   eval "$(_DAGNB_COMPLETE=bash_source dagnb)"
      zsh    eval "$(_DAGNB_COMPLETE=zsh_source dagnb)"
      fish   _DAGNB_COMPLETE=fish_source dagnb | source
    """  # noqa: D301  # click wants the character, not its name
