"""A node type of another package: installed beside, found, done, found again and undone."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from app.core.secrets import Vault
from app.drivers.errors import Refused, Retriable, Unauthorised, Unreachable
from app.flows.document import Document, NodeSpec
from app.flows.node import Done, NodeType, Resource, StepFailed
from app.flows.registry import node_types
from app.flows.validate import problems_of
from tests.databases import Databases
from tests.flows import test_node_contract as contract
from tests.flows.hand import output, step
from tests.flows.licence_server import TOKEN, LicenceServer, licence_server
from tests.flows.walks.checks import FAILURES, walks_of
from tests.flows.walks.examples import Example
from tests.flows.walks.stage import Stage

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "docs/examples/slipway-licence"
TUTORIAL = ROOT / "docs/adding-a-node.md"
BLOCK = re.compile(r"^```(?:python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARAMS = {"product": "panel-pro", "host": "web-1.example.com"}


def uv() -> str:
    """Return the uv that made this environment."""
    found = shutil.which("uv") or str(ROOT / ".tools/bin/uv")
    assert Path(found).exists(), "`make test` brings uv; have it on PATH to run this by hand"
    return found


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeType]:
    """Install the package as a provider would, apart from ours, and look for its node."""
    target = tmp_path_factory.mktemp("installed")
    quiet_and_apart = ["--quiet", "--offline", "--no-deps", "--python", sys.executable]
    subprocess.run(
        [uv(), "pip", "install", *quiet_and_apart, "--target", str(target), str(PACKAGE)],
        check=True,
        env={**os.environ, "UV_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))},
    )
    assert ("licence.assign", 1) not in node_types()
    sys.path.append(str(target))
    importlib.invalidate_caches()
    node_types.cache_clear()
    yield node_types()["licence.assign", 1]
    sys.path.remove(str(target))
    node_types.cache_clear()
    for name in [name for name in sys.modules if name.startswith("slipway_licence")]:
        del sys.modules[name]


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LicenceServer]:
    async with licence_server() as running:
        monkeypatch.setenv("LICENCE_SERVER_URL", running.url)
        monkeypatch.setenv("LICENCE_SERVER_TOKEN", TOKEN)
        yield running


async def do(node: NodeType, **change: str) -> Done:
    run: Any = node.do
    done = await run(step(), node.params(**(PARAMS | change)))
    assert isinstance(done, Done)
    return done


async def undo(node: NodeType, given: Any) -> None:
    run: Any = node.undo
    await run(step(), given)


async def probe(node: NodeType) -> Done | None:
    assert node.probe is not None
    return await node.probe(step(), node.params(**PARAMS))


async def test_it_is_found_by_its_entry_point_and_imported_from_where_it_was_installed(
    node: NodeType,
) -> None:
    module = sys.modules["slipway_licence.assign"]
    assert not Path(str(module.__file__)).is_relative_to(ROOT)
    assert node.title == "Assign licence"


def test_a_flow_that_uses_it_may_be_published(node: NodeType) -> None:
    nodes = {
        "paid": NodeSpec(type="trigger.order_paid"),
        "licence": NodeSpec(type=node.name, params={**PARAMS, "host": "=input.hostname"}),
    }
    edges = (("paid.out", "licence.in"),)
    assert problems_of(Document(flow="licensed", nodes=nodes, edges=edges)) == []


@pytest.mark.parametrize(
    "check",
    [
        contract.test_it_says_what_it_is,
        contract.test_every_parameter_is_described,
        contract.test_required_parameters_have_examples_and_all_examples_are_right,
        contract.test_its_output_is_known_or_said_to_be_anything,
        contract.test_its_ports_are_sane,
        contract.test_it_says_what_it_would_do,
        contract.test_its_examples_can_be_used,
        contract.test_its_effect_its_undoing_and_its_policy_fit,
    ],
)
def test_it_keeps_the_contract(node: NodeType, check: Any) -> None:
    check(node)


async def test_it_does_and_is_undone(node: NodeType, server: LicenceServer) -> None:
    done = await do(node)
    assert output(done) == {"licence": "lic-1", "expires_at": "2027-11-25T12:00:00Z"}
    assert done.takes == (Resource("licence", "lic-1"),)
    assert server.licences["lic-1"]["reference"] == step().key
    await undo(node, done.output)
    assert server.licences == {}
    await undo(node, done.output)


async def test_an_answer_that_was_lost_is_found_by_asking(
    node: NodeType, server: LicenceServer
) -> None:
    """The engine is told that nobody knows, and asks before it does it again."""
    server.answers = [0]
    with pytest.raises(StepFailed, match="no answer") as failed:
        await do(node)
    assert failed.value.unknown
    found = await probe(node)
    assert found is not None
    assert output(found)["licence"] == "lic-1"
    assert found.takes == (Resource("licence", "lic-1"),)
    assert server.made == 1


async def test_what_was_never_taken_is_not_found(node: NodeType, server: LicenceServer) -> None:
    assert await probe(node) is None
    await undo(node, None)


async def test_a_licence_that_nobody_knows_of_is_given_back(
    node: NodeType, server: LicenceServer
) -> None:
    server.answers = [0]
    with pytest.raises(StepFailed):
        await do(node)
    await undo(node, None)
    assert server.licences == {}


async def test_licences_of_others_are_left_alone(node: NodeType, server: LicenceServer) -> None:
    server.licences["other"] = {"id": "other", "reference": "another run"}
    await do(node)
    await undo(node, None)
    assert server.licences.keys() == {"other"}


@pytest.mark.parametrize(
    ("status", "error"), [(429, Retriable), (503, Retriable), (403, Unauthorised), (409, Refused)]
)
async def test_a_refusal_is_told_in_the_engines_words(
    node: NodeType, server: LicenceServer, status: int, error: type[Exception]
) -> None:
    server.answers = [status]
    with pytest.raises(error):
        await do(node)
    assert server.made == 0


async def test_a_broken_server_may_have_done_it(node: NodeType, server: LicenceServer) -> None:
    server.answers = [500]
    with pytest.raises(StepFailed, match="500 as told") as failed:
        await do(node)
    assert (failed.value.transient, failed.value.unknown) == (True, True)


async def test_a_product_that_is_not_known_is_said(node: NodeType, server: LicenceServer) -> None:
    with pytest.raises(Refused, match="no such product"):
        await do(node, product="unknown")


async def test_a_wrong_token_is_not_tried_again(
    node: NodeType, server: LicenceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICENCE_SERVER_TOKEN", "stale")
    with pytest.raises(Unauthorised) as failed:
        await do(node)
    assert "stale" not in str(failed.value)


async def test_a_server_that_is_away_is_tried_again(
    node: NodeType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with licence_server() as gone:
        monkeypatch.setenv("LICENCE_SERVER_URL", gone.url)
    monkeypatch.setenv("LICENCE_SERVER_TOKEN", TOKEN)
    with pytest.raises(Unreachable):
        await do(node)
    monkeypatch.delenv("LICENCE_SERVER_URL")
    with pytest.raises(StepFailed, match="set LICENCE_SERVER_URL"):
        await do(node)


async def test_it_is_walked_as_our_own_are(
    node: NodeType,
    server: LicenceServer,
    databases: Databases,
    template_database: str,
    vault: Vault,
    redis: Redis,
    tmp_path: Path,
) -> None:
    """Done twice is done once, and what a run took is given back wherever it fails."""

    async def taken(_: Stage) -> list[str]:
        return [licence["product"] for licence in server.licences.values()]

    async def given_back(_: Stage) -> None:
        server.licences.clear()
        server.made = 0

    example = Example(PARAMS, before=given_back, peer=taken, left=taken)
    async with walks_of(
        node, example, databases, template_database, vault, redis, tmp_path
    ) as walks:
        await walks.check_done_twice()
        for failure in FAILURES:
            await walks.check_failed_at(failure)


def test_the_tutorial_shows_the_package_as_it_is() -> None:
    """Every block of code in it is a part of one of the files, word for word."""
    blocks = BLOCK.findall(TUTORIAL.read_text())
    files = [*PACKAGE.glob("*.toml"), *PACKAGE.glob("src/*/*.py"), Path(__file__)]
    written = [file.read_text() for file in files]
    assert len(blocks) >= 5
    for block in blocks:
        assert any(block in text for text in written), block
