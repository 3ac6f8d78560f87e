"""A server is enrolled, adopted and inspected by hand, in a browser, at a real Ironic."""

from uuid import uuid4

from litestar import Litestar
from playwright.async_api import expect

from app.core.live import Live
from app.domain.accounts.roles import Role
from app.domain.inventory.maintain import begin_maintenance
from app.domain.metal.errand import ErrandState, last_errand
from app.drivers.metal.contract import MetalPeer, NodeSeed
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.peers import Peers
from app.suites.hypervisor import through
from tests.admin import conftest
from tests.admin.conftest import (
    Enter,
    dsn,
    enter,
    furnished,
    owner,
    peers,
    session_of,
    stage,
    vault,
)
from tests.admin.stage import Stage
from tests.admin.test_dcim_look import look
from tests.admin.test_looks import address
from tests.admin.test_looks import enter as open_page
from tests.chromium import Contexts
from tests.metal.errands import CLOUD, Hand

app = conftest.app
__all__ = [
    "address", "app", "dsn", "enter", "furnished", "owner", "peers", "stage", "vault",
]  # fixtures  # fmt: skip
OURS, OTHER = "fra1-b1-01", "fra1-b1-02"


async def a_hand(stage: Stage, peers: Peers, peer: MetalPeer) -> tuple[Hand, dict[str, str]]:
    """Return who works, and the cards of two servers out of stock that no node has yet."""
    hand = Hand(stage.database, stage.clock, stage.vault, peers)
    await hand.connect(peer)
    cards = {}
    for name in (OURS, OTHER):
        number = uuid4().hex
        cards[name] = f"52:54:02:{number[:2]}:{number[2:4]}:{number[4:6]}"
        async with stage.database.transaction() as tx:
            await tx.execute(
                "UPDATE server SET mac = $2 WHERE id = $1", stage.servers[name], cards[name]
            )
            await begin_maintenance(
                tx, stage.servers[name], actor=None, actor_label="test", reason="goes to a cloud"
            )
    return hand, cards


async def ended(hand: Hand, stage: Stage, name: str) -> ErrandState:
    async with stage.database.snapshot() as tx:
        errand = await last_errand(tx, stage.servers[name])
    assert errand is not None
    return (await hand.through(errand.id)).state


async def test_from_the_servers_page_to_the_cloud_and_back(
    stage: Stage,
    contexts: Contexts,
    address: str,
    peers: Peers,
    peer: MetalPeer,
    cloud: Ironic,
    enter: Enter,
    app: Litestar,
) -> None:
    live: Live = await app.dependencies["live"]()
    stage.database.after_commit = live.publish
    hand, cards = await a_hand(stage, peers, peer)
    server, other = (
        f"/admin/servers/{stage.servers[OURS]}",
        f"/admin/servers/{stage.servers[OTHER]}",
    )
    page = await open_page(stage, contexts, address, size="desk", theme="light")

    await page.goto(f"{address}{server}")
    await page.get_by_role("link", name="Enrol it …").click()
    await page.locator("#name").fill(f"n-{uuid4().hex[:8]}")
    await page.locator("#driver").fill("no-such-driver")
    await page.get_by_role("button", name="Enrol it").click()
    await expect(page.get_by_role("heading", name=f"Enrolment of {OURS}")).to_be_visible()
    assert await ended(hand, stage, OURS) is ErrandState.failed
    await expect(page.get_by_text("No valid host was found")).to_be_visible()  # it follows
    failed = page.url.removeprefix(address)
    await page.get_by_role("link", name="Change and enrol").click()
    await page.locator("#driver").fill("fake-hardware")
    await page.get_by_role("button", name="Enrol it").click()
    await hand.part()
    await expect(page.get_by_text("in progress")).to_be_attached()
    assert await ended(hand, stage, OURS) is ErrandState.done
    await expect(page.get_by_text("It can be sold once it is in stock")).to_be_visible()
    done = page.url.removeprefix(address)

    node = await through(
        lambda memo: cloud.enrol(
            NodeSeed(
                name=f"n-{uuid4().hex[:8]}", macs=(cards[OTHER],), driver="fake-hardware",
            ),
            memo,
        )
    )  # fmt: skip
    await page.goto(f"{address}/admin/nodes/adopt?search={node.name}")
    row = page.locator(f"#node-{node.id}")
    await expect(row.get_by_role("link", name=OTHER)).to_be_visible()
    await row.get_by_role("link", name="Adopt …").click()
    await expect(page.get_by_label("Server", exact=True)).to_have_value(OTHER)
    adopting = page.url.removeprefix(address)
    await page.get_by_role("button", name="Adopt it").click()
    await expect(page.get_by_role("heading", name=f"Adoption of {OTHER}")).to_be_visible()
    assert await ended(hand, stage, OTHER) is ErrandState.done

    await cloud._api.patch(f"/nodes/{node.id}", {"/properties/memory_mb": 98304})
    await page.goto(f"{address}{other}/discovery")
    await page.get_by_role("button", name=f"Have {CLOUD} inspect it").click()
    assert await ended(hand, stage, OTHER) is ErrandState.done
    await page.get_by_role("link", name="Compare the hardware").click()
    await page.get_by_role("button", name="Accept Memory, GB").click()
    await expect(page.get_by_text("It is written down so.")).to_be_visible()
    assert await hand.value(
        "SELECT ram_gb FROM server WHERE id = $1", stage.servers[OTHER]
    ) == 96  # fmt: skip

    pages = {
        "server": server,
        "failed": failed,
        "enrol": f"/admin/nodes/enrol?server={OURS}",
        "strays": f"/admin/nodes/adopt?connection={CLOUD}",
        "adopt": adopting,
    }
    assert await look(page, address, pages) == {}
    token = await session_of(stage.database, Role.OPERATOR)
    phone = await open_page(stage, contexts, address, size="phone", theme="dark", token=token)
    more = {"done": done, "withdraw": f"/admin/nodes/withdraw?server={OTHER}"}
    assert await look(phone, address, {**more, **pages}) == {}

    designer = await enter(Role.DESIGNER)
    assert "Stop it" not in (await designer.get(done)).text
    for path in ("enrol", "adopt", f"withdraw?server={OTHER}"):
        assert (await designer.get(f"/admin/nodes/{path}")).status_code == 403

    await page.goto(f"{address}/admin/nodes/withdraw?server={OTHER}")
    await page.get_by_label("Reason").fill("it goes elsewhere")
    await page.get_by_role("button", name="Take it out").click()
    await expect(page.get_by_role("heading", name=f"Withdrawal of {OTHER}")).to_be_visible()
    assert await ended(hand, stage, OTHER) is ErrandState.done
    left = await cloud.read(node.id)
    assert (left.mark, left.state) == ("", "manageable")
