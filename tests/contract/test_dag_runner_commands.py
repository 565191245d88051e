"""The commands of the documentation on the runner of manifests, in a terminal's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagnb import Manifest
from dagnb.cli import main

MANIFEST = "target/manifest.json"


def manifest() -> dict[str, Any]:
    """Return users and orders, and features of each; one is expensive, one experimental."""
    return {
        "nodes": {
            "source.users": {"type": "source", "config": {"path": "users.csv"}},
            "source.orders": {
                "type": "source", "config": {"path": "orders.csv"}, "tags": ["experimental"],
            },
            "feature_group.user_features": {
                "type": "feature_group", "config": {"sql": "select * from users"},
            },
            "feature_group.order_features": {
                "type": "feature_group", "config": {"sql": "select * from orders"},
                "tags": ["expensive"],
            },
        },
        "edges": [
            ["source.users", "feature_group.user_features"],
            ["source.orders", "feature_group.order_features"],
        ],
    }  # fmt: skip


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the manifest and its files, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("users", "orders"):
        (tmp_path / f"{name}.csv").write_text("id\n1\n2\n")
    Manifest.from_dict(manifest()).save(MANIFEST)
    return tmp_path


def dagnb_run(*options: str) -> Result:
    """Run ``dagnb run`` on the manifest."""
    return CliRunner().invoke(main, ["run", MANIFEST, *options])


def times() -> dict[str, float]:
    """Return when each node last ran."""
    state = json.loads(Path("target/state/execution_state.json").read_text())
    return {name: each["last_run"] for name, each in state.items() if "last_run" in each}


def ran(*options: str) -> list[str]:
    """Return the names of the nodes that a command ran."""
    before = times()
    assert dagnb_run(*options).exit_code == 0
    return sorted(name.partition(".")[2] for name, at in times().items() if at != before.get(name))


def test_run_runs_what_changed() -> None:
    """Everything at first, then nothing, then what is another one."""
    assert dagnb_run().exit_code == 0
    assert ran() == []
    Path("users.csv").write_text("id\n3\n")
    assert ran() == ["user_features", "users"]


def test_run_full() -> None:
    """Everything runs."""
    dagnb_run()
    assert ran("--full") == ["order_features", "orders", "user_features", "users"]


def test_run_dry() -> None:
    """Nothing runs; what would is said."""
    done = dagnb_run("--dry-run")
    assert done.exit_code == 0
    assert "RUN source.users" in done.output
    assert not Path("target/state").exists()


def test_run_types() -> None:
    """Nodes of one kind."""
    dagnb_run()
    assert ran("--full", "--types", "feature_group") == ["order_features", "user_features"]


@pytest.mark.parametrize(
    "names",
    [["--nodes", "user_features,order_features"],
     ["--nodes", "user_features", "--nodes", "order_features"]],
)  # fmt: skip
def test_run_nodes(names: list[str]) -> None:
    """Lists take commas and repetition."""
    dagnb_run()
    assert ran(*names) == ["order_features", "user_features"]


def test_run_exclude_tags() -> None:
    """Both tags count."""
    done = dagnb_run("--exclude-tags", "expensive,experimental")
    assert done.exit_code == 0
    assert sorted(times()) == ["feature_group.user_features", "source.users"]


def test_run_continue_on_error() -> None:
    """What does not read the failed node runs; the exit code says that one failed."""
    Path("users.csv").unlink()
    assert dagnb_run("--continue-on-error").exit_code == 1
    assert "feature_group.order_features" in times()


def test_run_retry() -> None:
    """So many times more."""
    Path("users.csv").unlink()
    assert dagnb_run("--retry", "1").exit_code == 1
    state = json.loads(Path("target/state/execution_state.json").read_text())
    assert state["source.users"]["attempts"] == 2


def test_wrong_usage_is_told_apart() -> None:
    """By its exit code, with the nearest name, before anything runs."""
    done = dagnb_run("--nodes", "user_feature")
    assert done.exit_code == 2
    assert "did you mean 'user_features'?" in done.output
    assert not Path("target/state").exists()
