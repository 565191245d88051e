"""What filters select."""

from __future__ import annotations

from typing import Any

import pytest

from dagnb import Manifest, SelectionError
from dagnb.project.select import refuse_what_cannot_run, select


@pytest.fixture
def manifest() -> Manifest:
    """Two sources, a transform of both, two features, one of which is expensive."""
    ids = ["source.users", "source.orders", "transform.joined", "feature.cheap", "feature.dear"]
    data: dict[str, Any] = {each: {"type": each.partition(".")[0]} for each in ids}
    data["feature.dear"]["tags"] = ["expensive"]
    data["source.users"]["tags"] = ["daily"]
    edges = [[ids[0], ids[2]], [ids[1], ids[2]], [ids[2], ids[3]], [ids[2], ids[4]]]
    return Manifest.from_dict({"nodes": data, "edges": edges})


def test_no_filter_selects_everything(manifest: Manifest) -> None:
    """And forces nothing."""
    found = select(manifest)
    assert (found.selected, found.forced) == (set(manifest.nodes), frozenset())


@pytest.mark.parametrize("name", ["joined", "transform.joined"])
def test_a_name_or_an_id_selects_what_is_below_too(manifest: Manifest, name: str) -> None:
    """All of that runs, and what is above is needed."""
    found = select(manifest, nodes=[name])
    assert found.selected == {"transform.joined", "feature.cheap", "feature.dear"}
    assert found.forced == found.selected
    assert found.needed == {"source.users", "source.orders"}


def test_a_kind_selects_its_nodes(manifest: Manifest) -> None:
    """And no others."""
    assert select(manifest, node_types=["source"]).selected == {"source.users", "source.orders"}


def test_a_tag_selects_its_nodes(manifest: Manifest) -> None:
    """And no others."""
    assert select(manifest, tags=["daily"]).selected == {"source.users"}


def test_filters_narrow_each_other(manifest: Manifest) -> None:
    """What all of them let through is selected."""
    found = select(manifest, nodes=["users"], node_types=["feature"], exclude_tags=["expensive"])
    assert found.selected == {"feature.cheap"}
    assert found.excluded == {"feature.dear": "excluded by its tag 'expensive'"}


def test_full_forces_what_is_selected(manifest: Manifest) -> None:
    """Only that."""
    found = select(manifest, node_types=["source"], full=True)
    assert found.forced == {"source.users", "source.orders"}


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"nodes": ["usres"]}, "no node 'usres' in the manifest; did you mean 'users'?"),
        ({"nodes": ["source.user"]}, "did you mean 'source.users'?"),
        ({"node_types": ["sorce"]}, "there is no kind 'sorce'; did you mean 'source'?"),
        ({"tags": ["dayly"]}, "no node has the tag 'dayly'; did you mean 'daily'?"),
        ({"exclude_tags": ["expensiv"]}, "which is to be excluded; did you mean 'expensive'?"),
        (
            {"nodes": ["dear"], "exclude_tags": ["expensive"]},
            "feature.dear is asked for by name and excluded by its tag 'expensive'",
        ),
    ],
)
def test_what_cannot_be_selected_is_named(
    manifest: Manifest, filters: dict[str, Any], message: str
) -> None:
    """With the nearest that there is."""
    with pytest.raises(SelectionError) as caught:
        select(manifest, **filters)
    assert message in str(caught.value)


def test_a_tag_that_nobody_has_excludes_nothing(manifest: Manifest) -> None:
    """Lists of tags to exclude are shared between projects."""
    assert select(manifest, exclude_tags=["experimental"]).excluded == {}


def test_a_kind_without_nodes_selects_nothing(manifest: Manifest) -> None:
    """If the runner knows it, it is no mistake."""
    assert select(manifest, node_types=["model"], kinds=["model"]).selected == frozenset()


def test_a_text_is_no_list(manifest: Manifest) -> None:
    """A name alone would be taken apart into its letters."""
    with pytest.raises(TypeError, match=r"nodes is a list of texts; write \['users'\]"):
        select(manifest, nodes="users")


def test_what_needs_an_excluded_node_says_so(manifest: Manifest) -> None:
    """If it is asked for, and there is no earlier value to go by."""
    found = select(manifest, node_types=["feature"], exclude_tags=["daily"])
    with pytest.raises(SelectionError, match=r"feature\.cheap needs source\.users, which is excl"):
        refuse_what_cannot_run(found, manifest, lambda name: False)
    refuse_what_cannot_run(found, manifest, lambda name: True)
