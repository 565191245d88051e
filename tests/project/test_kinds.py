"""The kinds that do something by themselves, on real files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from dagnb import (
    DAGRunner,
    ExecutionStatus,
    ExecutionSummary,
    Manifest,
    ManifestError,
    RuleError,
    SourceError,
    SqlError,
)
from dagnb.project import duck

Data = dict[str, Any]
ADULTS = "select id, name from users where age > 17"
CODE = """
import pandas as pd

def grown_up(users: pd.DataFrame, limit: int = 17) -> pd.DataFrame:
    return users[users.age > limit]

def names(users: list):
    return [each["name"] for each in users]

def kinds(users):
    return type(users).__module__

def no_adults(users: pd.DataFrame):
    return users[users.age > 17]

def fetch():
    return [{"id": 1, "age": 20}, {"id": 2, "age": 30}]

class Model:
    def __init__(self, mean): self.mean = mean

def train(users: pd.DataFrame):
    return Model(users.age.mean())

def predict(model, users: pd.DataFrame):
    return float(model.mean)
"""


class Files:
    """A project in a folder: a source of users, and what is added below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: Data = {"source.users": {"type": "source", "config": {"path": "users.csv"}}}
        self.edges: list[list[str]] = []
        self.write_users("1,ada,36\n2,bob,7\n3,eve,50\n")
        (folder / "code.py").write_text(CODE)

    def write_users(self, rows: str) -> None:
        """Write the source's file."""
        (self.folder / "users.csv").write_text("id,name,age\n" + rows)

    def add(self, node: str, *inputs: str, **config: Any) -> None:
        """Add a node, or change it."""
        self.nodes[node] = {"type": node.partition(".")[0], "config": config}
        self.edges = [edge for edge in self.edges if edge[1] != node]
        self.edges += [[each, node] for each in inputs]

    def runner(self) -> DAGRunner:
        """Return a runner of what is there now."""
        manifest = Manifest.from_dict({"nodes": self.nodes, "edges": self.edges})
        return DAGRunner(manifest, state_dir=self.folder / "state", root=self.folder)

    def run(self, **options: Any) -> ExecutionSummary:
        """Run."""
        return self.runner().run(progress=False, **options)

    def ran(self) -> list[str]:
        """Run, and return what ran."""
        return [each.node_id for each in self.run().results if each.attempts]

    def error(self, node: str) -> Any:
        """Run, and return why a node failed."""
        outcome = self.run()[node]
        assert outcome.status is ExecutionStatus.FAILED
        return outcome.error

    def value(self, node: str) -> Any:
        """Run, and return what another node below sees of one."""
        seen = []
        self.add("probe.it", node)
        runner = self.runner()
        runner.register("probe", lambda probe, inputs: seen.extend(inputs.values()))
        runner.run(nodes=["it"], progress=False)
        del self.nodes["probe.it"], self.edges[-1]
        return seen[0]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A project of one source."""
    return Files(tmp_path)


# -- sources ----------------------------------------------------------------------------------


def test_a_source_has_the_rows_of_its_file(files: Files) -> None:
    """And its row count goes into summary and state."""
    assert files.run()["source.users"].row_count == 3
    state = json.loads((files.folder / "state" / "execution_state.json").read_text())
    assert state["source.users"]["row_count"] == 3


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("u.csv", pyarrow.csv.write_csv),
        ("u.parquet", pyarrow.parquet.write_table),
        ("u.jsonl", lambda t, p: p.write_text("\n".join(map(json.dumps, t.to_pylist())))),
        ("u.json", lambda t, p: p.write_text(json.dumps(t.to_pylist()))),
    ],
)
def test_every_format_is_read(
    files: Files, name: str, write: Callable[[pa.Table, Path], None]
) -> None:
    """By the ending of the file's name."""
    table = pa.table({"id": [1, 2], "name": ["ada", "bob"]})
    write(table, files.folder / name)
    files.add("source.users", path=name)
    assert files.value("source.users").to_pylist() == table.to_pylist()


def test_a_format_and_options_can_be_said(files: Files) -> None:
    """They go to the reader."""
    (files.folder / "users.dat").write_text("1;2\n3;4\n")
    files.add("source.users", path="users.dat", format="csv",
              options={"header": False, "sep": ";", "names": ["a", "b"]})  # fmt: skip
    assert files.value("source.users").to_pylist() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_a_pattern_reads_all_its_files(files: Files) -> None:
    """In the order of their names; a new one runs the source."""
    for number in (2, 1):
        (files.folder / f"part{number}.csv").write_text(f"n\n{number}\n")
    files.add("source.users", path="part*.csv")
    assert files.value("source.users").column("n").to_pylist() == [1, 2]
    (files.folder / "part3.csv").write_text("n\n3\n")
    assert files.run()["source.users"].row_count == 3


def test_a_source_can_be_a_function(files: Files) -> None:
    """What it returns as rows is a table."""
    files.add("source.users", function="code.py:fetch")
    assert files.run()["source.users"].row_count == 2


def test_a_changed_file_runs_its_source(files: Files) -> None:
    """By its content: a touch runs nothing."""
    files.run()
    (files.folder / "users.csv").touch()
    assert files.ran() == []
    files.write_users("1,ada,37\n")
    assert files.ran() == ["source.users"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.rename(path.with_name("user.csv")), "did you mean 'user.csv'?"),
        (lambda path: path.write_text(""), "users.csv is empty"),
        (lambda path: path.write_bytes(b'a,b\n"1,2\n3,"4"5,6\n\xff\xfe'), "users.csv: "),
        (lambda path: (path.unlink(), path.mkdir()), "is no file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    files: Files, spoil: Callable[[Path], Any], message: str
) -> None:
    """Missing, empty, damaged, or a folder; mended, it runs."""
    spoil(files.folder / "users.csv")
    error = files.error("source.users")
    assert isinstance(error, SourceError)
    assert message in str(error)


def test_a_pattern_without_files_is_an_error(files: Files) -> None:
    """An empty folder is no empty table."""
    files.add("source.users", path="no*.csv")
    assert "no file is like no*.csv" in str(files.error("source.users"))


def test_a_file_that_changes_while_it_is_read_is_an_error(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read may be half of each; the next run reads it whole."""
    read = duck.read

    def slow_read(*arguments: Any) -> Any:
        table = read(*arguments)
        files.write_users("9,zoe,9\n")
        return table

    with monkeypatch.context() as patch:
        patch.setattr(duck, "read", slow_read)
        assert "was changed while it was read" in str(files.error("source.users"))
    assert files.run()["source.users"].row_count == 1


# -- SQL --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["transform", "aggregation", "feature_group"])
def test_sql_reads_nodes_above_by_name(files: Files, kind: str) -> None:
    """Whatever it is called."""
    files.add(f"{kind}.adults", "source.users", sql=ADULTS)
    expected = [{"id": 1, "name": "ada"}, {"id": 3, "name": "eve"}]
    assert files.value(f"{kind}.adults").to_pylist() == expected


def test_sql_reads_nodes_above_by_id(files: Files) -> None:
    """In double quotes; needed where two have the same name."""
    files.add("transform.users", "source.users", sql='select 1 as n from "source.users"')
    files.add("transform.both", "source.users", "transform.users",
              sql='select n from "source.users" s, "transform.users" t')  # fmt: skip
    assert files.run()["transform.both"].row_count == 9


@pytest.mark.parametrize(
    ("sql", "ran"),
    [
        ("SELECT id,name -- who\nFROM users /* all */ WHERE age>17", []),
        ("select id, name from users where age > 18", ["transform.adults"]),
        ("select name, id from users where age > 17", ["transform.adults"]),
        ("select id, name from users where age > 17.0", ["transform.adults"]),
    ],
)
def test_only_another_statement_runs_again(files: Files, sql: str, ran: list[str]) -> None:
    """Formatting, comments and the case of keywords do not."""
    files.add("transform.adults", "source.users", sql=ADULTS)
    files.run()
    files.add("transform.adults", "source.users", sql=sql)
    assert files.ran() == ran


def test_sql_reads_params(files: Files) -> None:
    """As ``$name``; another value runs it again."""
    sql = "select id from users where age > $least"
    files.add("transform.adults", "source.users", sql=sql, params={"least": 17, "unused": 1})
    assert files.value("transform.adults").to_pylist() == [{"id": 1}, {"id": 3}]
    files.add("transform.adults", "source.users", sql=sql, params={"least": 40, "unused": 1})
    assert files.value("transform.adults").to_pylist() == [{"id": 3}]


@pytest.mark.parametrize(
    ("name", "problem"),
    [("laest", "it reads $laest, which is none of its params; did you mean 'least'?"),
     ("1", "it reads $1, which is none of its params")],
)  # fmt: skip
def test_sql_that_reads_no_param(files: Files, name: str, problem: str) -> None:
    """Is refused with the nearest."""
    sql = f"select id from users where age > ${name}"
    files.add("transform.adults", "source.users", sql=sql, params={"least": 17})
    with pytest.raises(ManifestError) as caught:
        files.run()
    assert problem in str(caught.value)


def test_equal_rows_cut_off(files: Files) -> None:
    """What is below does not run."""
    files.add("transform.adults", "source.users", sql=ADULTS)
    files.add("transform.count", "transform.adults", sql="select count(*) as n from adults")
    files.run()
    files.write_users("1,ada,36\n2,bob,8\n3,eve,50\n")
    assert files.ran() == ["source.users", "transform.adults"]


def test_sql_gives_the_same_rows_in_the_same_order() -> None:
    """Joins and groups of many rows, too, and sums to the last digit."""
    rows = duck.query("select i % 70000 as k, i * 0.37 as x from range(400000) t(i)", {})
    sql = "select k, sum(a.x * b.x) as s from a join b using (k) group by k"
    first, second = (duck.query(sql, {"a": rows, "b": rows.slice(0, 70000)}) for _ in range(2))
    assert first.equals(second)


def test_sql_may_use_threads(files: Files) -> None:
    """Where the order of rows does not matter."""
    files.add("transform.adults", "source.users", sql=ADULTS, threads=2)
    assert files.run()["transform.adults"].row_count == 2


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select a,\nfrom users wher a", 'near "a" (line 2, column 17)\n  from users wher a\n'),
        ("select 'é' as a wher b", 'near "wher" (line 1, column 17)\n  select'),
        ("select * from usres", "it reads 'usres', which is no input of this node; did you mean"),
        ("select * from 'users.csv'", "it reads 'users.csv', which is no input"),
        ("with q as (select * from u) select * from q", "it reads 'u', which is no input"),
        ("from source.users", 'put a name with a dot into double quotes: "source.users"'),
        ("create table t as select 1", "it is not a SELECT"),
        ("select 1; select 2", "it is one SELECT, not 2 statements"),
        ("-- nothing", "it is one SELECT, not 0 statements"),
    ],
)
def test_sql_that_cannot_work_is_refused_at_once(files: Files, sql: str, message: str) -> None:
    """Before anything runs, with the node and the place."""
    files.add("transform.adults", "source.users", sql=sql)
    with pytest.raises(SqlError) as caught:
        files.run()
    assert str(caught.value).startswith("transform.adults: ")
    assert message in str(caught.value)


def test_names_that_sql_gives_itself_are_no_inputs(files: Files) -> None:
    """WITH, and aliases."""
    sql = "with a as (select * from users), b as (select * from a) select x.id from b as x"
    files.add("transform.adults", "source.users", sql=sql)
    assert files.run()["transform.adults"].row_count == 3


@pytest.mark.parametrize("sql", ["select agee from users", "select * from read_csv('users.csv')"])
def test_sql_that_fails_fails_its_node(files: Files, sql: str) -> None:
    """A column that there is not; a file, which would be read without anyone knowing."""
    files.add("transform.adults", "source.users", sql=sql)
    assert isinstance(files.error("transform.adults"), SqlError)


def test_keys_are_keys(files: Files) -> None:
    """Two rows with the same fail the node, and are named."""
    files.add("feature_group.ages", "source.users", sql="select id, age from users", keys=["id"])
    assert files.run().failed_nodes == 0
    files.write_users("1,ada,36\n1,eve,50\n")
    error = files.error("feature_group.ages")
    assert isinstance(error, RuleError)
    assert error.rows == [{"id": 1, "rows": 2}]


# -- functions --------------------------------------------------------------------------------


def test_a_function_gets_frames_and_params(files: Files) -> None:
    """As it annotates them; what it returns as a frame is a table again."""
    files.add("transform.adults", "source.users", function="code.py:grown_up", params={"limit": 40})
    files.add("transform.count", "transform.adults", sql="select name from adults")
    assert files.value("transform.count").to_pylist() == [{"name": "eve"}]


def test_a_function_of_a_module(files: Files) -> None:
    """Found in the project's folder."""
    (files.folder / "adults_of_dagnb_test.py").write_text(CODE)
    files.add("model.adults", "source.users", function="adults_of_dagnb_test:names")
    assert files.value("model.adults") == ["ada", "bob", "eve"]


def test_a_function_gets_what_its_module_uses(files: Files) -> None:
    """Where a parameter is not annotated."""
    files.add("model.kind", "source.users", function="code.py:kinds")
    assert files.value("model.kind").startswith("pandas")
    (files.folder / "plain.py").write_text("def kinds(users):\n    return type(users).__module__")
    files.add("model.kind", "source.users", function="plain.py:kinds")
    assert files.value("model.kind") == "pyarrow.lib"


def test_a_model_goes_to_what_is_below_in_a_later_run(files: Files) -> None:
    """An object of a class of the user's is saved, and is there in the next run."""
    files.add("model.model", "source.users", function="code.py:train")
    files.run()
    files.add("model.guess", "model.model", "source.users", function="code.py:predict")
    assert files.value("model.guess") == 31.0


@pytest.mark.parametrize(
    ("old", "new", "ran"),
    [
        ("users.age > limit", "users.age >= limit", ["transform.adults"]),
        ("return type(users)", "return type([users])", []),
        ("import pandas as pd", "import pandas as pd  # frames", []),
    ],
)
def test_changed_code_runs_its_nodes(files: Files, old: str, new: str, ran: list[str]) -> None:
    """That of the function, and of what it calls; no other."""
    files.add("transform.adults", "source.users", function="code.py:grown_up")
    files.run()
    (files.folder / "code.py").write_text(CODE.replace(old, new))
    assert files.ran() == ran


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("grown_up", "names no function; write module:name or file.py:name"),
        ("cod.py:grown_up", "there is no file"),
        ("no_such_module_here:f", "cannot be imported: ModuleNotFoundError"),
        ("code.py:grown", "code.py has no function 'grown'; did you mean 'grown_up'?"),
        ("code.py:predict", "its parameter 'model' is no input and none of its params"),
    ],
)
def test_a_function_that_is_not_there_is_refused_at_once(
    files: Files, function: str, message: str
) -> None:
    """Before anything runs, with its place in the manifest."""
    files.add("transform.adults", "source.users", function=function)
    with pytest.raises(ManifestError) as caught:
        files.run()
    assert caught.value.where == "nodes['transform.adults'].config.function"
    assert message in caught.value.problem


# -- rules ------------------------------------------------------------------------------------


def test_a_rule_finds_no_bad_row(files: Files) -> None:
    """Then it succeeds."""
    files.add("rule.named", "source.users", sql="select * from users where name is null")
    assert files.run()["rule.named"].status is ExecutionStatus.SUCCESS


@pytest.mark.parametrize(
    "config",
    [{"sql": "select * from users where age > 17"}, {"function": "code.py:no_adults"}],
    ids=["sql", "function"],
)
def test_a_rule_names_the_rows_that_break_it(files: Files, config: Data) -> None:
    """And what is below does not run."""
    files.add("rule.children", "source.users", **config)
    files.add("exposure.out", "source.users", "rule.children", path="o.csv", sql="from users")
    error = files.error("rule.children")
    assert isinstance(error, RuleError)
    assert (error.count, error.rows[0]) == (2, {"id": 1, "name": "ada", "age": 36})
    assert str(error).startswith("2 rows break the rule rule.children: id=1, name='ada', age=36; ")
    assert not (files.folder / "o.csv").exists()


# -- exposures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "read"),
    [("o/u.csv", pyarrow.csv.read_csv), ("o/u.parquet", pyarrow.parquet.read_table)],
)
def test_an_exposure_writes_the_rows_above(
    files: Files, name: str, read: Callable[[Path], pa.Table]
) -> None:
    """To a file in a folder that it makes, and leaves nothing else there."""
    files.add("exposure.out", "source.users", path=name)
    assert files.run()["exposure.out"].row_count == 3
    assert read(files.folder / name).column("name").to_pylist() == ["ada", "bob", "eve"]
    assert len(list((files.folder / "o").iterdir())) == 1


def test_an_exposure_that_is_gone_or_edited_is_written_again(files: Files) -> None:
    """What it left is part of being up to date."""
    files.add("exposure.out", "source.users", path="o.csv")
    files.run()
    assert files.ran() == []
    (files.folder / "o.csv").write_text("something else")
    assert files.ran() == ["exposure.out"]
    (files.folder / "o.csv").unlink()
    assert files.ran() == ["exposure.out"]


def test_a_failed_exposure_leaves_the_old_file(files: Files) -> None:
    """The new one takes its place when it is whole."""
    files.add("exposure.out", "source.users", path="o.csv")
    files.run()
    before = (files.folder / "o.csv").read_bytes()
    files.add("exposure.out", "source.users", path="o.csv", sql="select 1 / name from users")
    assert isinstance(files.error("exposure.out"), SqlError)
    assert (files.folder / "o.csv").read_bytes() == before


# -- configurations ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "config", "where", "message"),
    [
        ("transform", {}, "", "has one of sql or function, not none"),
        ("transform", {"sql": "x", "function": "y"}, "", "not ['sql', 'function']"),
        ("transform", {"slq": "x"}, ".slq", "no such option; did you mean 'sql'?"),
        ("transform", {"sql": 3}, ".sql", "it is a text, not 3"),
        ("transform", {"sql": "from users", "keys": "id"}, ".keys", "it is a list of columns"),
        ("transform", {"sql": "from users", "threads": 0}, ".threads", "from 1 on, not 0"),
        ("model", {"sql": "from users"}, ".sql", "a model has no such option"),
        ("model", {"function": "a:b", "params": 3}, ".params", "it is an object, not 3"),
        ("source", {"path": "a.xls"}, ".format", "say what a.xls is: csv or json or parquet"),
        ("source", {"path": "a", "format": "cvs"}, ".format", "did you mean 'csv'?"),
        ("exposure", {}, "", "has one of path, not none"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_at_once(
    files: Files, kind: str, config: Data, where: str, message: str
) -> None:
    """Before anything runs, with its place."""
    files.add(f"{kind}.x", "source.users", **config)
    with pytest.raises(ManifestError) as caught:
        files.run()
    assert caught.value.where == f"nodes['{kind}.x'].config{where}"
    assert message in caught.value.problem


def test_an_exposure_of_two_nodes_says_which_rows(files: Files) -> None:
    """There is no telling otherwise."""
    files.add("source.more", path="users.csv")
    files.add("exposure.out", "source.users", "source.more", path="o.csv")
    with pytest.raises(ManifestError, match="it is needed to choose rows of 2 nodes"):
        files.run()


def test_sql_over_what_has_no_rows_says_so(files: Files) -> None:
    """A model is no table."""
    files.add("model.model", "source.users", function="code.py:train")
    files.add("transform.x", "model.model", sql="select * from model")
    assert "model is a Model, no rows" in str(files.error("transform.x"))


def test_the_functions_of_a_file_come_from_one_run_of_it(files: Files) -> None:
    """So a class of the file is one class for all of them."""
    (files.folder / "classes.py").write_text(
        "class Count:\n    rows = 1\n\n\ndef made():\n    return Count()\n\n\n"
        "def read(made):\n    return isinstance(made, Count)\n"
    )
    files.add("task.made", function="classes.py:made")
    files.add("task.read", "task.made", function="classes.py:read")
    assert files.value("task.read") is True
