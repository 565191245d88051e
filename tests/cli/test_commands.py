"""What all commands have in common: help, completion, and how they say what is wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagnb.cli import HOMES
from tests.cli.conftest import Command, environment
from tests.notebook.notebooks import LOAD, written


@pytest.mark.parametrize("name", [*HOMES, "store ls", "store gc"])
def test_help(dagnb: Command, name: str) -> None:
    """Begins with what the command does, and has a sentence for each option."""
    text = dagnb(*name.split(), "--help").out
    assert text.startswith(f"Usage: dagnb {name}")
    assert "--help" in text
    assert "\\b" not in text
    assert text.splitlines()[2].strip().endswith(".")


def test_the_list_of_commands(dagnb: Command) -> None:
    """Is in the order of use, one whole sentence each."""
    lines = dagnb("--help").out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(HOMES)
    assert not [line for line in lines if line.endswith("...")]


def test_a_typo(dagnb: Command) -> None:
    """Is told the nearest command, or option."""
    assert "there is no command 'pln'; did you mean 'plan'?" in dagnb("pln", code=2).err
    assert "--full" in dagnb("run", "--ful", "nb.ipynb", code=2).err
    assert "'gc'" in dagnb("store", "gcc", code=2).err


def test_debug(apart: Command, tmp_path: Path) -> None:
    """An error is one line; with --debug its traceback is shown."""
    written(tmp_path / "nb.ipynb", LOAD)
    plain = apart("run", "nb.ipynb", code=2).err
    assert len(plain.splitlines()) == 1
    whole = apart("run", "nb.ipynb", "--debug", code=1).err
    assert "Traceback" in whole
    assert "NotebookError" in whole


TABS = {
    "bash": 'eval "$(_DAGNB_COMPLETE=bash_source dagnb)"; COMP_WORDS=(dagnb st); COMP_CWORD=1; '
    '_dagnb_completion dagnb; echo "${COMPREPLY[@]}"',
    "zsh": 'autoload -U compinit; compinit -u; compadd() { echo "${words[@]}"; }; '
    '_describe() { echo "${completions_with_descriptions[@]}" "${completions[@]}"; }; '
    'eval "$(_DAGNB_COMPLETE=zsh_source dagnb)"; words=(dagnb st); CURRENT=2; _dagnb_completion',
    "fish": '_DAGNB_COMPLETE=fish_source dagnb | source; complete -C "dagnb st"',
}


@pytest.mark.parametrize("shell", TABS)
def test_completion(tmp_path: Path, shell: str) -> None:
    """What help says to put into the shell's file gives the commands by Tab."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    command = tmp_path / "dagnb"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m dagnb "$@"\n')
    command.chmod(0o755)
    found = {**environment(), "HOME": str(tmp_path)}
    done = subprocess.run(
        [shell, "-c", TABS[shell]],
        env={**found, "PATH": f"{tmp_path}:{found['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert {"status", "store"} <= set(done.stdout.replace(":", " ").split()), done.stderr
    assert "run" not in done.stdout.split()


def test_completion_is_quick() -> None:
    """Nothing of Jupyter is imported for it."""
    code = "import sys, dagnb.cli; print('IPython' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert told.stdout == "False\n"
