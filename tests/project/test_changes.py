"""What runs after what changed: the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagnb import StateError, StateWarning
from dagnb.values.layout import Layout
from tests.project.projects import IDS, Change, Project, changed

JOINED = ["transform.joined", "feature.cheap", "feature.dear"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of which everything has run."""
    made = Project(tmp_path)
    assert made.run() == IDS
    return made


def config(name: str, **options: Any) -> Change:
    """Change the configuration of a node."""
    return lambda data: data["nodes"][name]["config"].update(options)


def field(node_id: str, **fields: Any) -> Change:
    """Change fields of a node."""
    return lambda data: data["nodes"][node_id].update(fields)


def node(name: str, *inputs: str) -> Change:
    """Add a node."""

    def change(data: dict[str, Any]) -> None:
        data["nodes"][name] = {"type": name.partition(".")[0]}
        data["edges"] += [[each, name] for each in inputs]

    return change


def no_node(name: str) -> Change:
    """Remove a node with its edges."""

    def change(data: dict[str, Any]) -> None:
        del data["nodes"][name]
        data["edges"] = [edge for edge in data["edges"] if name not in edge]

    return change


def edge(source: str, target: str) -> Change:
    """Add an edge."""
    return lambda data: data["edges"].append([source, target])


def no_edge(source: str, target: str) -> Change:
    """Remove an edge."""
    return lambda data: data["edges"].remove([source, target])


def backwards(data: dict[str, Any]) -> None:
    """Write the same manifest in another order."""
    data["nodes"] = dict(reversed(data["nodes"].items()))
    data["edges"].reverse()


@pytest.mark.parametrize(
    ("change", "ran"),
    [
        pytest.param(lambda data: None, [], id="nothing"),
        pytest.param(backwards, [], id="another order in the file"),
        pytest.param(config("source.users", value="u"), ["source.users", *JOINED], id="a source"),
        pytest.param(config("feature.dear", value="d"), ["feature.dear"], id="a leaf"),
        pytest.param(
            config("source.users", value="users"), ["source.users"], id="to the same value"
        ),
        pytest.param(field("source.users", description="d"), [], id="a description"),
        pytest.param(field("source.users", owner="o"), [], id="an owner"),
        pytest.param(field("source.users", tags=["t"]), [], id="tags"),
        pytest.param(field("source.users", name="people"), ["source.users", *JOINED], id="a name"),
        pytest.param(field("feature.cheap", type="source"), ["feature.cheap"], id="a kind"),
        pytest.param(node("feature.new", "source.users"), ["feature.new"], id="a new leaf"),
        pytest.param(node("source.new"), ["source.new"], id="a new node alone"),
        pytest.param(no_node("feature.dear"), [], id="no leaf any more"),
        pytest.param(no_node("source.users"), JOINED, id="no source any more"),
        pytest.param(edge("source.users", "feature.cheap"), ["feature.cheap"], id="a new edge"),
        pytest.param(no_edge("source.users", "transform.joined"), JOINED, id="an edge less"),
    ],
)
@pytest.mark.parametrize("with_old", [False, True], ids=["by state", "by old manifest too"])
def test_what_runs_after_a_change(
    project: Project, change: Change, ran: list[str], with_old: bool
) -> None:
    """Exactly what changed, and what reads a value that came out different; then nothing."""
    new, project.ran = changed(change), []
    runner = project.runner(new, old_manifest=changed() if with_old else None)
    runner.run(progress=False)
    assert sorted(project.ran) == sorted(ran)
    assert project.run(new) == []


def test_a_node_that_failed_runs_again(project: Project) -> None:
    """And what is below it, once it has come out different."""
    new = changed(config("transform.joined", value="j"))
    project.broken = {"transform.joined"}
    assert project.run(new) == ["transform.joined"]
    project.broken = set()
    assert project.run(new) == JOINED


def test_a_node_that_failed_runs_even_if_the_change_is_taken_back(project: Project) -> None:
    """A value is never served for a node whose last attempt failed."""
    project.broken = {"transform.joined"}
    project.run(changed(config("transform.joined", value="j")))
    project.broken = set()
    assert project.run() == ["transform.joined"]


def test_a_node_that_comes_back_runs(project: Project) -> None:
    """What is removed is forgotten."""
    project.run(changed(no_node("feature.dear")))
    assert project.run() == ["feature.dear"]


def test_a_changed_executor_runs_its_nodes(project: Project) -> None:
    """The code of a kind is part of what its nodes depend on."""
    runner = project.runner()
    runner.register("feature", lambda node, inputs: "another")
    assert runner.run(progress=False).successful_nodes == 2


def state_file(project: Project) -> Path:
    """Return where the state is."""
    return project.folder / "state" / "execution_state.json"


def test_a_lost_state_runs_everything(project: Project) -> None:
    """Without a state nothing is known to have run."""
    state_file(project).unlink()
    assert project.run() == IDS


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff", b'{"$dagnb": 3}', b""])
def test_a_damaged_state_is_set_aside_and_everything_runs(project: Project, text: bytes) -> None:
    """It says so, and the next run is as any other."""
    state_file(project).write_bytes(text)
    with pytest.warns(StateWarning, match="everything runs"):
        assert project.run() == IDS
    assert project.run() == []


@pytest.mark.parametrize("entry", [3, {}, {"status": "fine"}, {"status": "success", "parts": 1}])
def test_a_damaged_entry_runs_its_node(project: Project, entry: object) -> None:
    """And no other, since it comes out the same."""
    state = json.loads(state_file(project).read_text())
    state["source.users"] = entry
    state_file(project).write_text(json.dumps(state))
    with pytest.warns(StateWarning, match="the state of node 'source.users' cannot be used"):
        assert project.run() == ["source.users"]


def test_a_newer_state_is_left_alone(project: Project) -> None:
    """It is refused, and stays as it is."""
    newer = json.dumps({"$dagnb": {"format": 99}})
    state_file(project).write_text(newer)
    with pytest.raises(StateError, match="newer dagnb"):
        project.run()
    assert (project.ran, state_file(project).read_text()) == ([], newer)


def test_a_lost_value_runs_its_node(project: Project) -> None:
    """What is said to have run and has left nothing has to run again."""
    key = json.loads(state_file(project).read_text())["transform.joined"]["key"]
    Layout(project.folder / "state" / "values").record(key).unlink()
    assert project.run() == ["transform.joined"]


def test_an_entry_without_what_it_came_from_runs(project: Project) -> None:
    """A state that another tool wrote says that nodes ran, and not with what."""
    entries = {each: {"status": "success", "duration": 1.0, "last_run": 1.0} for each in IDS}
    state_file(project).write_text(json.dumps(entries))
    assert project.run() == IDS
