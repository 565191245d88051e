from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from dagnb import Manifest
from tests.cli.conftest import Command
from tests.notebook.notebooks import LOAD, written

CELLS = (
    f"{LOAD}\n%matplotlib inline",
    "import math\nfrom dagnb import dag_node\nlimit = 1\n\ndef keep(x):\n    return x > limit",
    "%%dag_node total\ntotal = sum(clean)  # before what it needs\ntotal + 1",
    "%%dag_node raw --retries 2 --tag load\nlist(range(5))",
    "%%dag_node\ndef clean(raw, limit):\n    return [x for x in raw if keep(x) and x < 10 * limit]",
    "unit = 'm'\n\n@dag_node(timeout=30)\ndef root(total):\n    return math.sqrt(total)",
    "answer = f'{root:g} {unit}'",
)


def test_a_module(dagnb: Command, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Run from top to bottom it gives the values that the notebook gives."""
    path = written(tmp_path / "nb.ipynb", *CELLS)
    assert dagnb("export", path.name, "-o", "made.py").out == "wrote made.py\n"
    found = runpy.run_path(str(tmp_path / "made.py"))
    names = ("raw", "clean", "total", "root", "answer")
    expected = ([0, 1, 2, 3, 4], [2, 3, 4], 9, 3.0, "3 m")
    assert tuple(found[name] for name in names) == expected
    text = (tmp_path / "made.py").read_text()
    assert "@task(tags=['load'], retries=2, backoff=0.1)\ndef raw():" in text
    assert "# %matplotlib inline" in text


def test_the_values_are_those_of_the_notebook(dagnb: Command, tmp_path: Path) -> None:
    """As a plain cell of it sees them."""
    shown = "print([raw, clean, total, root, answer])"
    path = written(tmp_path / "nb.ipynb", *CELLS[:1], *CELLS[1:], shown)
    path.write_text(path.read_text().replace("\\n%matplotlib inline", ""))
    dagnb("run", path.name)
    assert "[[0, 1, 2, 3, 4], [2, 3, 4], 9, 3.0, '3 m']" in path.read_text()


FRAMES = (
    LOAD,
    "import pandas as pd\nfrom dataclasses import dataclass\nlimit = 17\n\n"
    "@dataclass\nclass Count:\n    rows: int",
    "%%dag_node people --type source --tag load\n"
    "pd.DataFrame({'age': [36, 8, 50]}, index=['ada', 'bob', 'eve'])",
    "%%dag_node adults --lang sql --type transform\nselect age from people where age > $limit",
    "%%dag_node count\nCount(len(adults) + len(people.loc['ada']))",
    "%%dag_node checked\nassert isinstance(count, Count)\n{'rows': count.rows}",
    "print(checked)",
)


def test_a_manifest(dagnb: Command, tmp_path: Path) -> None:
    """Its nodes give what those of the notebook give, frames with their index included."""
    path = written(tmp_path / "nb.ipynb", *FRAMES)
    made = dagnb("export", path.name, "-o", "pipeline.json").out
    assert made == "wrote pipeline.py and pipeline.json\n"
    manifest = Manifest.load(tmp_path / "pipeline.json")
    assert manifest.nodes["task.people"].tags == ("load", "source")
    assert set(manifest.upstream("task.count")) == {"task.people", "task.adults"}
    names = ["task.people", "task.adults", "task.count", "task.checked"]
    assert dagnb("run", "pipeline.json", "--json").executed == names
    assert dagnb("run", "pipeline.json", "--json").executed == []
    made = runpy.run_path("pipeline.py")
    assert made["checked"](made["Count"](3)) == {"rows": 3}


def steps() -> dict[str, Any]:
    """Return a manifest with nodes of every kind; two have one name, others are no identifiers."""
    many = "select *,\n  price * $rate as total -- with tax\nfrom orders"
    nodes: dict[str, Any] = {
        "source.orders": {"config": {"path": "orders.csv"}},
        "transform.orders": {"config": {"sql": 'from "source.orders" where price > 1'}},
        "transform.with tax": {"config": {"sql": many, "params": {"rate": 2}}},
        "aggregation.class": {"config": {"sql": 'select sum(total) as n from "with tax"'}},
        "feature_group.step": {"config": {"sql": "from orders", "keys": ["id"]}},
        "model.fit": {"config": {"function": "jobs.py:fit", "params": {"power": 2}}},
        "rule.some": {"config": {"sql": "from step where id is null"}},
        "exposure.out": {"config": {"path": "out.csv"}},
        "task.last": {"config": {"function": "jobs.py:last"}},
    }
    for name, node in nodes.items():
        node["type"] = name.partition(".")[0]
    edges = [
        ("source.orders", "transform.orders"), ("transform.orders", "transform.with tax"),
        ("transform.with tax", "aggregation.class"), ("source.orders", "feature_group.step"),
        ("feature_group.step", "model.fit"), ("feature_group.step", "rule.some"),
        ("transform.orders", "exposure.out"), ("model.fit", "task.last"),
    ]  # fmt: skip
    return {"nodes": nodes, "edges": edges}


def test_a_manifest_as_a_module(dagnb: Command, tmp_path: Path) -> None:
    """Run from top to bottom it gives the values that the manifest's nodes have."""
    (tmp_path / "orders.csv").write_text("id,price\n1,1\n2,5\n3,7\n")
    (tmp_path / "jobs.py").write_text(
        "def fit(step: list, power):\n    return sum(each['id'] ** power for each in step)\n\n"
        "def last(fit):\n    return {'fit': fit}\n"
    )
    (tmp_path / "p.json").write_text(json.dumps(steps()))
    assert dagnb("export", "p.json", "-o", "made.py").out == "wrote made.py\n"
    dagnb("run", "p.json")
    (tmp_path / "out.csv").rename(tmp_path / "run.csv")
    found = runpy.run_path(str(tmp_path / "made.py"))
    assert found["class_"].to_pylist() == [{"n": 24}]
    assert (found["fit"], found["last"]) == (14, {"fit": 14})
    assert found["step_"].num_rows == 3
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "run.csv").read_text()
    assert "\n  price * $rate as total -- with tax\n" in (tmp_path / "made.py").read_text()


def test_a_manifest_as_a_manifest(dagnb: Command, tmp_path: Path) -> None:
    """In the one form that there is."""
    (tmp_path / "p.json").write_text('{"nodes": [{"name": "a", "type": "source"}]}')
    dagnb("export", "p.json", "-o", "q.json")
    assert Manifest.load(tmp_path / "q.json") == Manifest.load(tmp_path / "p.json")
    assert '"source.a": {' in (tmp_path / "q.json").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nb.ipynb", "-o", "made.txt"], "-o NAME.py writes a module, -o NAME.json a manifest"),
        (["nb.ipynb", "-o", "own.json"], "own.py is there and was not made by dagnb export"),
        (["p.json", "-o", "made.py"], "there is no file p.json"),
        (["own_kind.json", "-o", "made.py"], "node 'email.a' cannot be written as a task"),
        (["nb.ipynb", "-o", "no/made.py"], "cannot be written"),
        (["odd.ipynb", "-o", "made.py"], "node 'a' cannot be written as a task"),
    ],
)
def test_what_cannot_be_exported(
    dagnb: Command, tmp_path: Path, words: list[str], message: str
) -> None:
    """Is said in one line."""
    written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\n1")
    (tmp_path / "own.py").write_text("a = 1\n")
    (tmp_path / "own_kind.json").write_text('{"nodes": {"email.a": {"type": "email"}}}')
    written(tmp_path / "odd.ipynb", LOAD, "%%dag_node a --when 1>0\n1")
    assert message in dagnb("export", *words, code=2).err
