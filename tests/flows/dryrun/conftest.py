import pytest

from app.flows import registry
from tests.flows.dryrun.stage import types


@pytest.fixture(autouse=True)
def effects_that_fail_the_test(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let flows be made of `x.` nodes, unless a test is about those that are installed."""
    if "installed" not in request.fixturenames:
        found = types()
        monkeypatch.setattr(registry, "node_types", lambda: found)


@pytest.fixture
def installed() -> None:
    """Ask for the node types that are installed."""
