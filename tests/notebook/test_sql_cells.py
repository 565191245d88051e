"""Nodes in SQL: what they read, when they run, and how they say what is wrong."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa
import pytest
from IPython.core.error import UsageError

from dagnb.errors import DagError, DefinitionError, RuleError, SqlError
from tests.notebook.conftest import Notebook

SQL = "--lang sql"
ADULTS = "SELECT name, age FROM people WHERE age > $limit ORDER BY name"


@pytest.fixture
def people(nb: Notebook) -> Notebook:
    """A frame of three people, a limit, and those above it by SQL."""
    nb.run("import pandas as pd\nlimit = 17")
    nb.node("people", "pd.DataFrame({'name': ['ada', 'bob', 'eve'], 'age': [36, 8, 50]})")
    nb.node("adults", ADULTS, f"--type transform {SQL}")
    return nb


def test_it_reads_nodes_and_variables_by_name(people: Notebook) -> None:
    """Its rows come as those that it reads; what reads it may be Python or SQL."""
    assert people["adults"].equals(pd.DataFrame({"name": ["ada", "eve"], "age": [36, 50]}))
    people.node("oldest", "select max(age) as age from adults", f"--type aggregation {SQL}")
    assert people["oldest"].age.tolist() == [50]
    people.node("count", "len(adults)")
    assert people["count"] == 2
    assert people.session.dag.edges() == [
        ("people", "adults"), ("adults", "oldest"), ("adults", "count"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [ADULTS.lower(), f"{ADULTS} -- all", ADULTS.replace(" ", "\n"), f"/* who */ {ADULTS};"],
)
def test_formatting_runs_nothing(people: Notebook, source: str) -> None:
    """The parsed statement decides."""
    source = source.replace("\nby", " by")
    ran = people.node("adults", source, f"--type transform {SQL}")
    assert ran.executed == []
    assert "ada" in ran.out  # a semicolon ends a statement here, and hides nothing


def test_another_statement_runs_with_what_changes_below(people: Notebook) -> None:
    """And why it ran shows the lines; rows that are the same end it."""
    people.node("count", "len(adults)")
    ran = people.node("adults", ADULTS.replace("name, age", "age, name"), SQL)
    assert ran.executed == ["adults", "count"]
    why = str(people.session.why("adults"))
    assert why.startswith("adults ran because its code changed\n  -SELECT name, age FROM")
    same = ADULTS.replace("name, age", "age, name").replace("> $limit", ">= $limit + 1")
    assert people.node("adults", same, SQL).executed == ["adults"]


def test_a_variable_runs_what_reads_it(people: Notebook) -> None:
    """As a value ($limit) or as a table."""
    assert people.run("limit = 40").executed == ["adults"]
    assert people["adults"].name.tolist() == ["eve"]
    people.run("extra = pd.DataFrame({'n': [1]})")
    people.node("more", "from extra", SQL)
    assert people.run("extra = pd.DataFrame({'n': [2]})").executed == ["more"]


def test_cells_in_any_order(nb: Notebook) -> None:
    """It waits for what comes further down; a table in a WITH is none of the notebook's."""
    sql = "WITH rows AS (SELECT * FROM rows WHERE n > 1), own AS (FROM rows) SELECT n FROM own"
    ran = nb.node("big", sql, SQL)
    assert "it waits for `rows`" in ran.text
    nb.node("rows", "[{'n': 1}, {'n': 2}]")
    assert nb["big"].equals(pa.table({"n": [2]}))


def test_an_unknown_name_is_told_with_the_nearest(people: Notebook) -> None:
    """Of the nodes and variables that there are."""
    ran = people.node("more", "select * from poeple", SQL)
    assert "it waits for `poeple`, which nothing defines yet; did you mean 'people'?" in ran.text


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (
            "SELECT a,\nFROM people wher a",
            SQL,
            'near "a" (line 3, column 18)\n  FROM people wher a',
        ),
        ("create table t as select 1", SQL, "it is not a SELECT"),
        ("pivot people on name using max(age)", SQL, "name the values: PIVOT t ON kind IN"),
        ("select 1; select 2", SQL, "it is one SELECT, not 2 statements"),
        ("from 'people.csv'", SQL, "it reads 'people.csv', and SQL in a notebook reads nodes"),
        ("select ?", SQL, "it reads '1', and SQL in a notebook reads nodes"),
        ("select 1", "--lang sqll", "no language 'sqll'; did you mean 'sql'?"),
        ("1", "--type modle", "no 'modle'; did you mean 'model'?"),
        ("select 1", f"--type source {SQL}", "name files with --files"),
        ("select 1", f"--type exposure {SQL}", "an exposure writes a file"),
    ],
)
def test_wrong_usage(people: Notebook, source: str, options: str, message: str) -> None:
    """Is said in the words of the cell, and changes nothing."""
    before = people.state()
    ran = people.node("adults", source, options, fails=UsageError)
    assert message in str(ran.error)
    assert people.state() == before


@pytest.mark.parametrize(
    ("line", "source", "message"),
    [
        ("--lang sql", "select 1 as a", "a node of SQL needs a name"),
        ("adults --lang sql", "from adults", "node 'adults' reads itself"),
        ("check --type rule", "len(people)", "rule 'check' refuses nothing; end it with assert"),
    ],
)
def test_definitions_that_cannot_be(people: Notebook, line: str, source: str, message: str) -> None:
    """Are refused with what to do."""
    ran = people.run(f"%%dag_node {line}\n{source}", fails=DefinitionError)
    assert message in str(ran.error)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("select agee from people", "agee"),
        ("from limit_", "limit_ is a int, which has no rows to select from"),
        ("from read_csv('people.csv')", "disabled"),
    ],
)
def test_sql_that_fails(people: Notebook, source: str, message: str) -> None:
    """Fails its node, and what stands below its cell is short."""
    people.run("limit_ = 1")
    ran = people.node("bad", source, SQL, fails=SqlError)
    assert message in str(ran.error)
    assert len(ran.text.splitlines()) < 15


def test_a_rule_fails_if_it_finds_rows(people: Notebook) -> None:
    """It names them; without any it has the value None."""
    people.node("grown", "from people where age < 18", f"--type rule {SQL}", fails=RuleError)
    error = people.session.result("grown").error
    assert str(error) == "1 row breaks the rule grown: name='bob', age=8"
    assert people.node("people", "pd.DataFrame({'name': ['ada'], 'age': [36]})").executed[:1] == [
        "people"
    ]
    assert people.session.result("grown").status.is_success
    people.node("old", "assert people.age.min() > 17", "--type rule")


def test_a_statement_that_becomes_a_rule_is_another_one(people: Notebook) -> None:
    """Its rows are no value any more."""
    people.node("young", "from people where age < 18", SQL)
    people.node("young", "from people where age < 18", f"--type rule {SQL}", fails=RuleError)


def test_in_a_process_of_its_own(people: Notebook) -> None:
    """The statement goes along."""
    people.node("young", "from people where age < 18", f"{SQL} --backend processes")
    assert people["young"].name.tolist() == ["bob"]


def test_frames_of_polars_stay_frames_of_polars(nb: Notebook) -> None:
    """As the first table is, so are the rows."""
    pytest.importorskip("polars")
    nb.run("import polars as pl")
    nb.node("rows", "pl.DataFrame({'n': [1, 2]})")
    nb.node("twice", "select 2 * n as n from rows", SQL)
    assert type(nb["twice"]).__module__.startswith("polars")
    assert re.search("Python|SQL", nb.run("%dag source twice").out) is None


def test_the_decorator_takes_a_type(nb: Notebook) -> None:
    """One that there is."""
    nb.run("from dagnb import dag_node\n\n@dag_node(type='source')\ndef rows():\n    return [1]")
    assert nb.session.nodes["rows"].options.kind == "source"
    with pytest.raises(ValueError, match="did you mean 'model'"):
        from dagnb import dag_node

        dag_node(type="modle")
    assert issubclass(SqlError, DagError)
