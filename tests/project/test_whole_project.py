"""A project of fifteen nodes over files of a million rows, from the first run to the repair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
import pytest

from dagnb import DAGRunner, ExecutionSummary, Manifest

ORDERS = 1_000_000
USERS = 50_000
PRODUCTS = 200
CODE = """
import pandas as pd

BOUNDS = [0, 500, 700, float("inf")]

def segments(user_features: pd.DataFrame) -> pd.DataFrame:
    names = pd.cut(user_features["spent"], BOUNDS, labels=["low", "middle", "high"])
    return user_features.assign(segment=names.astype("str"))[["user_id", "segment"]]

def prices(products: pd.DataFrame):
    return {"mean": float(products["price"].mean())}
"""
SQL = {
    "transform.paid": "select * from orders where status = 'paid'",
    "transform.priced": "select paid.*, price * quantity as amount "
    "from paid join products using (product_id)",
    "aggregation.by_user": "select user_id, count(*) as orders, sum(amount) as spent "
    "from priced group by user_id order by user_id",
    "aggregation.by_product": "select product_id, sum(quantity) as sold "
    "from priced group by product_id order by product_id",
    "feature_group.user_features": "select user_id, country, orders, spent "
    "from users join by_user using (user_id) order by user_id",
    "feature_group.product_features": "select product_id, price, sold "
    "from products join by_product using (product_id) order by product_id",
    "rule.known_users": "select * from orders where user_id not in (select user_id from users)",
    "rule.positive": "select * from priced where amount <= 0",
}
EDGES = {
    "transform.paid": ["source.orders", "rule.known_users"],
    "transform.priced": ["transform.paid", "source.products"],
    "aggregation.by_user": ["transform.priced"],
    "aggregation.by_product": ["transform.priced"],
    "feature_group.user_features": ["source.users", "aggregation.by_user"],
    "feature_group.product_features": ["source.products", "aggregation.by_product"],
    "rule.known_users": ["source.orders", "source.users"],
    "rule.positive": ["transform.priced"],
    "model.segments": ["feature_group.user_features"],
    "model.prices": ["source.products"],
    "exposure.segments": ["model.segments", "rule.positive"],
    "exposure.products": ["feature_group.product_features"],
}


def write(folder: Path, name: str, sql: str) -> None:
    """Write the rows of a SELECT to a CSV file."""
    duckdb.sql(sql).write_csv(str(folder / name))


def generate(folder: Path) -> None:
    """Write the files and the code of the project."""
    write(
        folder,
        "users.csv",
        f"select i as user_id, 'C' || i % 7 as country from range({USERS}) t(i)",
    )
    write(folder, "products.csv",
          f"select i as product_id, 1 + i % 50 as price from range({PRODUCTS}) t(i)")  # fmt: skip
    write(folder, "orders.csv",
          f"select i as order_id, i * 7919 % {USERS} as user_id, "
          f"i * 31 % {PRODUCTS} as product_id, 1 + i % 3 as quantity, "
          "case when i % 10 = 0 then 'open' else 'paid' end as status "
          f"from range({ORDERS}) t(i)")  # fmt: skip
    (folder / "code.py").write_text(CODE)


def described() -> dict[str, Any]:
    """Return the manifest of the project, as data."""
    nodes: dict[str, Any] = {
        f"source.{name}": {"type": "source", "config": {"path": f"{name}.csv"}}
        for name in ("users", "products", "orders")
    }
    for name, sql in SQL.items():
        nodes[name] = {"type": name.partition(".")[0], "config": {"sql": sql}}
    nodes["feature_group.user_features"]["config"]["keys"] = ["user_id"]
    for name in ("segments", "prices"):
        nodes[f"model.{name}"] = {"type": "model", "config": {"function": f"code.py:{name}"}}
    segments = {"path": "out/segments.parquet", "sql": "from segments"}
    nodes["exposure.segments"] = {"type": "exposure", "config": segments}
    nodes["exposure.products"] = {"type": "exposure", "config": {"path": "out/products.csv"}}
    edges = [[source, target] for target, sources in EDGES.items() for source in sources]
    return {"nodes": nodes, "edges": edges}


class Whole:
    """The project in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = described()

    def run(self, **options: Any) -> ExecutionSummary:
        """Run."""
        runner = DAGRunner(
            Manifest.from_dict(self.data), state_dir=self.folder / "state", root=self.folder
        )
        return runner.run(progress=False, **options)

    def ran(self, **options: Any) -> list[str]:
        """Run, and return what ran."""
        return sorted(each.node_id for each in self.run(**options).results if each.attempts)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The project after its first run."""
    folder = tmp_path_factory.mktemp("project")
    generate(folder)
    made = Whole(folder)
    assert made.run(jobs=2).successful_nodes == 15
    return made


def test_rows_are_counted(whole: Whole) -> None:
    """In the state, of every node that has any."""
    state = json.loads((whole.folder / "state" / "execution_state.json").read_text())
    rows = {name: each["row_count"] for name, each in state.items() if "row_count" in each}
    assert rows["source.orders"] == ORDERS
    assert rows["transform.paid"] == ORDERS * 9 // 10
    assert rows["aggregation.by_product"] == PRODUCTS * 9 // 10
    assert rows["exposure.segments"] == rows["feature_group.user_features"]


def test_what_is_written_is_right(whole: Whole) -> None:
    """As computed by one statement over the files, by another way."""
    written = pyarrow.parquet.read_table(whole.folder / "out" / "segments.parquet")
    [[expected]] = duckdb.sql(
        "select count(*) from (select user_id from "
        f"read_csv('{whole.folder}/orders.csv') join read_csv('{whole.folder}/products.csv') "
        "using (product_id) where status = 'paid' "
        "group by user_id having sum(price * quantity) <= 500)"
    ).fetchall()
    assert written.column("segment").to_pylist().count("low") == expected


def test_a_second_run_executes_nothing(whole: Whole) -> None:
    """And neither does one of a manifest that is only written otherwise."""
    assert whole.ran() == []
    sql = whole.data["nodes"]["transform.paid"]["config"]["sql"]
    whole.data["nodes"]["transform.paid"]["config"]["sql"] = sql.upper().replace("'PAID'", "'paid'")
    whole.data["nodes"]["transform.paid"]["config"]["sql"] = sql.replace(
        "where", "\nWHERE -- only\n"
    )
    whole.data["nodes"]["source.users"]["description"] = "everybody"
    assert whole.ran() == []


def test_an_edited_function_runs_what_is_below(whole: Whole) -> None:
    """Nothing above it, and not the function beside it."""
    code = whole.folder / "code.py"
    code.write_text(code.read_text().replace("700", "800"))
    assert whole.ran() == ["exposure.segments", "model.segments"]


def test_a_file_that_means_the_same_is_cut_off(whole: Whole) -> None:
    """A product that nobody buys changes no order, and nothing below the orders runs."""
    with open(whole.folder / "products.csv", "a") as file:
        file.write(f"{PRODUCTS},{9}\n")
    assert whole.ran() == [
        "feature_group.product_features", "model.prices", "source.products", "transform.priced",
    ]  # fmt: skip


def test_a_bad_row_stops_what_is_below_its_rule(whole: Whole) -> None:
    """It is named; once it is mended, all goes on."""
    orders = whole.folder / "orders.csv"
    before = orders.read_bytes()
    orders.write_bytes(before + f"{ORDERS},{USERS + 5},1,1,paid\n".encode())
    summary = whole.run(continue_on_error=True)
    assert f"user_id={USERS + 5}" in (summary["rule.known_users"].error_message or "")
    assert summary["transform.paid"].status.name == "SKIPPED"
    orders.write_bytes(before)
    assert whole.run().failed_nodes == 0
    assert whole.ran() == []
