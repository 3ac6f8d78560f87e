import pytest

from app.flows import registry
from tests.flows.validate.kinds import KINDS


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "node_types", lambda: KINDS)
