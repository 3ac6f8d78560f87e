"""The trigger types that are shipped, beside the node types of the tests."""

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.flows import registry
from tests.flows.nodes import nodes
from tests.flows.triggers.board import Board

SHIPPED = registry.node_types


@pytest.fixture
def board(database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Board:
    known = {**SHIPPED(), **nodes()}
    monkeypatch.setattr(registry, "node_types", lambda: known)
    return Board(database, clock)
