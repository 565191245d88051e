"""``python -m dagnb`` is the command ``dagnb``."""

from dagnb.cli import main

main(prog_name="dagnb")
