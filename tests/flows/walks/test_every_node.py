"""Repeat every node, fail at every node: each node type that is installed, in a flow of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.core.secrets import Vault
from app.drivers.hypervisor.contract import HypervisorPeer
from app.flows.node import Effect, NodeType
from app.flows.registry import node_types
from tests.databases import Databases
from tests.drivers.certificates import Authority
from tests.drivers.hypervisor.pve import fakepve
from tests.flows.walks.checks import FAILURES, Walks, walks_of
from tests.flows.walks.examples import EXAMPLES

MISSING = (
    "{name} has no example: add one to EXAMPLES in tests/flows/walks/examples.py with its `params`, "
    "what has to be done `before`, what its `peer` has afterwards, and what of it is `left`, if it "
    "can be undone"
)
INSTALLED = sorted(node_types().values(), key=lambda kind: (kind.name, kind.version))
# What has no effect leaves no answer to be lost.
WAYS_TO_FAIL = [
    (kind, failure)
    for kind in INSTALLED
    for failure in FAILURES
    if failure != "after" or kind.effect is not Effect.PURE
]


@pytest.fixture(scope="session")
def pve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HypervisorPeer]:
    """A cluster whose tasks are over at once."""
    folder = tmp_path_factory.mktemp("pve")
    with fakepve(folder, Authority(folder), second_s=0) as peer:
        yield peer


@pytest.fixture
async def walks(
    request: pytest.FixtureRequest,
    kind: NodeType,
    databases: Databases,
    template_database: str,
    vault: Vault,
    redis: Redis,
    tmp_path: Path,
) -> AsyncIterator[Walks]:
    example = EXAMPLES.get(kind.name)
    assert example is not None, MISSING.format(name=kind.name)
    async with walks_of(
        kind,
        example,
        databases,
        template_database,
        vault,
        redis,
        tmp_path,
        request.getfixturevalue("pve") if "pve" in example.needs else None,
    ) as walks:
        yield walks


@pytest.mark.parametrize("kind", INSTALLED, ids=lambda kind: f"{kind.name}@{kind.version}")
async def test_done_twice_is_done_once(walks: Walks) -> None:
    await walks.check_done_twice()


@pytest.mark.parametrize(
    ("kind", "failure"),
    WAYS_TO_FAIL,
    ids=[f"{kind.name}@{kind.version}-{failure}" for kind, failure in WAYS_TO_FAIL],
)
async def test_failed_at_it_leaves_nothing(walks: Walks, failure: str) -> None:
    await walks.check_failed_at(failure)
