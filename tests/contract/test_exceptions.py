from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.exceptions import DEPARTURES, Departure


@pytest.mark.parametrize("departure", DEPARTURES, ids=[each.test for each in DEPARTURES])
def test_every_departure_has_its_test(departure: Departure) -> None:
    """The table names a test that shows what happens instead."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert f"def {departure.test}(" in tests
    assert departure.why
