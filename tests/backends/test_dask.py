"""Nodes on a cluster of Dask: what every backend promises, and what only this one does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dagnb.run.remote.cluster import CLUSTERS
from tests.backends.conformance import Conformance
from tests.laws.anywhere import Laws

pytest.importorskip("distributed")


@pytest.fixture(autouse=True, scope="module")
def cluster() -> Iterator[None]:
    """One cluster for all tests here."""
    CLUSTERS.start(2)
    yield
    CLUSTERS.stop()


class TestDask(Conformance):
    """Two workers of this machine."""

    name = "dask"


class TestLaws(Laws):
    """What holds of any run."""

    name = "dask"
