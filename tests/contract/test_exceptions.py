"""The tables of examples and of departures name tests that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.examples import EXAMPLES
from tests.contract.exceptions import DEPARTURES, DIFFERENCES, Departure

TESTS = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("page", EXAMPLES)
def test_every_example_has_its_tests(page: str) -> None:
    """None is left out, and no test that it names is gone."""
    for example, tests in EXAMPLES[page]:
        assert tests, example
        for test in tests:
            assert f"def {test}(" in TESTS, (example, test)


@pytest.mark.parametrize("departure", DEPARTURES + DIFFERENCES, ids=lambda each: each.example)
def test_every_departure_has_its_test(departure: Departure) -> None:
    """The table names a test that shows what happens instead."""
    assert f"def {departure.test}(" in TESTS
    assert departure.why
