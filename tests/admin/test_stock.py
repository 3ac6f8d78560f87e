"""Stock and its runway, whether more can be sold, the rules of a product, and who waits."""

import re
from datetime import timedelta

import msgspec
import pytest

from app.domain.accounts.roles import Role
from app.domain.catalog.find import find_product
from app.domain.catalog.stock import note_stock, stock_days
from app.domain.orders.outlook import outlooks
from app.domain.orders.sales import DAYS, sales
from app.domain.orders.serve_backlog import serve_backlog
from app.domain.orders.what_if import sell
from app.routes.admin.rules_typed import rules_of, values_of
from app.solver.want import DiskKind, ServerWant, StorageWant
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

FULL = ServerWant(
    cpu_models=("Intel Xeon E-2386G", "AMD EPYC 7443P"),
    cpu_group=None,
    min_cores=6,
    ram_gb=32,
    ram_exact=True,
    storage=(
        StorageWant(kind=DiskKind.nvme, capacity_gb=960, count=2, raid=1),
        StorageWant(capacity_gb=480, hardware_raid=True),
    ),
    datacentres=("ams1", "fra1"),
    datacentre_required=True,
    racks=("A1", "fra1/B1"),
    spread_racks=True,
    most_in_rack=2,
)


async def sell_for_weeks(stage: Stage, weeks: int) -> None:
    """Sell two of the product a week, as the books tell it; no server is taken for them."""
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE product SET created_at = $1", tx.now() - timedelta(days=200))
        await tx.execute(
            "INSERT INTO client_order (id, account, product, state, state_since, hostname, "
            "currency, cycle, total_minor, recurring_minor, selection, idempotency_key, "
            "placed_at, paid_at) SELECT gen_random_uuid(), $1, p.id, 'delivered', t.at, 'x', "
            "'EUR', 'monthly', 1, 1, '{\"extra_ipv4\": 3}', gen_random_uuid()::text, t.at, t.at "
            "FROM product p, generate_series(1, $2) w, "
            "LATERAL (SELECT $3::timestamptz - make_interval(days => 7 * w) AS at "
            "         FROM generate_series(1, 2)) t WHERE p.slug = 'metal-s'",
            stage.clients[0],
            weeks,
            stage.clock.now(),
        )


async def test_the_runway_goes_by_what_was_sold(stage: Stage, owner: Browser) -> None:
    await sell_for_weeks(stage, 12)
    async with stage.database.transaction() as tx:
        await note_stock(tx)
        product = await find_product(tx, "metal-s")
        [told] = [one for one in await outlooks(tx) if one.slug == "metal-s"]
        sold = (await sales(tx))[product.id]
        [today] = await stock_days(tx, product.id, days=7)
    assert (len(sold.servers), sum(sold.servers), sum(sold.ip4)) == (DAYS, 24, 24 * 4)
    assert told.servers_last is not None
    assert told.ip4_last is not None
    assert told.servers_last.days == pytest.approx(told.servers / 2 * 7)
    assert told.ip4_last.days == pytest.approx(told.ip4 / 8 * 7)
    assert (today.servers, today.ip4) == (told.servers, told.ip4)
    page = (await owner.get("/admin/stock")).text
    assert f"{told.servers_last.days:,.0f} days" in page
    one = (await owner.get("/admin/stock/products/metal-s")).text
    assert f"It lasts {told.servers_last.days:,.0f} days" in one
    assert one.count('class="sw-course-next"') == 2
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE stock_level SET day = day - 1")
        await note_stock(tx)
    two_days = (await owner.get("/admin/stock/products/metal-s")).text
    past = re.findall(r'class="sw-course-past" points="([^"]+)"', two_days)
    assert [len(points.split()) for points in past] == [2, 2], "servers and IPv4, a point a day"
    assert "There are not two weeks" not in one


async def test_an_order_that_is_given_up_or_ended_is_sold_no_longer(stage: Stage) -> None:
    await sell_for_weeks(stage, 4)
    async with stage.database.transaction() as tx:
        product = await find_product(tx, "metal-s")
        yesterday = tx.now() - timedelta(days=1)
        await tx.execute(
            "UPDATE client_order SET state = 'cancelled', state_since = $1 "
            "WHERE id = (SELECT id FROM client_order LIMIT 1)",
            yesterday,
        )
        sold = (await sales(tx))[product.id]
    assert sum(sold.servers) == 8 - 1
    assert sold.servers[-1] == -1


async def test_what_binds_is_said(stage: Stage, owner: Browser) -> None:
    async with stage.database.snapshot() as tx:
        [told] = [one for one in await outlooks(tx) if one.slug == "metal-s"]
        enough = await sell(tx, "metal-s", told.servers)
        more = await sell(tx, "metal-s", told.servers + 5)
    assert enough.is_possible
    assert (more.possible, more.servers.binds) == (told.servers, ("stock",))
    here = "/admin/stock/products/metal-s"
    yes = (await owner.get(f"{here}?number={told.servers}")).text
    assert f"Yes: all {told.servers} can be delivered." in yes
    no = (await owner.get(f"{here}?number={told.servers + 5}")).text
    assert f"No: {told.servers} of {told.servers + 5} can be delivered." in no
    assert more.servers.relaxations[0].text in no
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE prefix SET auto_allocatable = false")
    dry = (await owner.get(f"{here}?number=1")).text
    assert "not enough IPv4 addresses" in dry
    for wrong in ("0", "many", "2001"):
        asked = await owner.get(f"{here}?number={wrong}")
        assert asked.status_code == 422
        assert set(errors_of(asked.text)) == {"number"}
    assert (await owner.get("/admin/stock/products/nothing")).status_code == 404


async def test_for_one_client_what_a_rack_admits_of_it_binds(stage: Stage, owner: Browser) -> None:
    client = stage.clients[0]
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE rack SET most_of_client = 1")
        email = await tx.fetchval("SELECT email FROM account WHERE id = $1", client)
        [stock] = [one.servers for one in await outlooks(tx) if one.slug == "metal-s"]
        anybody = await sell(tx, "metal-s", stock)
        one = await sell(tx, "metal-s", stock, client=client)
    assert anybody.is_possible
    assert one.possible < stock
    assert one.binds == ("racks",)
    here = f"/admin/stock/products/metal-s?number={stock}&client="
    assert f"No: {one.possible} of {stock}" in (await owner.get(f"{here}{email}")).text
    unknown = await owner.get(f"{here}nobody@example.test")
    assert unknown.status_code == 422
    assert set(errors_of(unknown.text)) == {"client"}


def test_rules_are_typed_as_they_are_told() -> None:
    assert rules_of(values_of(FULL) | {"reason": "why"}) == (FULL, "why")
    assert rules_of({"reason": "why"}) == (ServerWant(), "why")


async def test_rules_are_changed_with_a_reason(stage: Stage, owner: Browser) -> None:
    here = "/admin/stock/products/metal-s/rules"
    assert "Intel Xeon E-2386G" in (await owner.get(here)).text
    refused = await owner.send_form(
        here,
        here,
        {
            "cpu_models": "Pentium",
            "ram_gb": "much",
            "storage": "two large ones",
            "datacentre_required": "on",
            "most_in_rack": "0",
            "reason": "",
        },
    )
    assert refused.status_code == 422
    assert set(errors_of(refused.text)) == {"ram_gb", "storage", "most_in_rack", "reason"}
    unknown = {
        "cpu_models": "Pentium",
        "datacentres": "mars1",
        "racks": "A1, Z9",
        "reason": "because",
    }
    refused = await owner.send_form(here, here, unknown)
    assert errors_of(refused.text) == {
        "cpu_models": "There is no CPU model Pentium.",
        "datacentres": "There is no datacentre mars1.",
        "racks": "There is no rack Z9.",
    }
    done = await owner.send_form(here, here, values_of(FULL) | {"reason": "two in a rack"})
    assert done.status_code == 303
    async with stage.database.snapshot() as tx:
        assert (await find_product(tx, "metal-s")).server_rules == FULL
        written = await tx.fetchrow(
            "SELECT before, after, reason FROM audit_entry WHERE action = 'product.rules_changed'"
        )
        woken = await tx.fetchval(
            "SELECT count(*) FROM outbox WHERE key LIKE 'stock.appeared:rules:%'"
        )
    assert written is not None
    assert (written["reason"], woken) == ("two in a rack", 1)
    assert msgspec.json.decode(written["after"])["most_in_rack"] == 2
    assert "most_in_rack" not in msgspec.json.decode(written["before"])
    assert "at least 6" in (await owner.get("/admin/stock/products/metal-s")).text


async def test_disk_layouts_are_typed_offered_and_counted(stage: Stage, owner: Browser) -> None:
    page = "/admin/stock/products/metal-s"
    here = f"{page}/layouts"
    assert "mirrored where there are two" in (await owner.get(page)).text
    for line, fault in {
        "a | A": "is not as: code | name",
        "a | A | two ssd": "names no disks; as 2 nvme 480 raid 1.",
        "a | A | 2 ssd raid 5": "RAID 5 takes at least 3 disks.",
        "a | A | 1 ssd, zfs": "is none of lvm, ext4, xfs",
        "a | A | 1 ssd\na | B | 1 hdd": "Two layouts have the same code.",
    }.items():
        refused = await owner.send_form(here, here, {"layouts": line, "reason": "why"})
        assert refused.status_code == 422
        assert fault in errors_of(refused.text)["layouts"]
        assert line.splitlines()[0] in refused.text
    lines = (
        "mirror | Mirrored | 2 nvme raid 1, swap 8\n"
        "wide | Wide | 9 any 400 raid 6, lvm, xfs, swap 8, /home 100"
    )
    refused = await owner.send_form(here, here, {"layouts": lines, "reason": "why"})
    assert "ask for disks of at least so much" in errors_of(refused.text)["layouts"]
    lines = lines.replace("2 nvme raid", "2 nvme 100 raid")
    typed = {"layouts": lines, "offered": "on", "reason": "asked for"}
    typed["seen"] = await seen_in(owner, here)
    assert (await owner.send_form(here, here, typed)).status_code == 303
    shown = (await owner.get(page)).text
    assert "9 disks of one kind of at least 400 GB in RAID 6, LVM, xfs, 8 GB swap" in shown
    assert "0 in stock bear it" in shown
    form = (await owner.get(here)).text
    assert "wide | Wide | 9 any 400 raid 6, lvm, xfs, swap 8, /home 100" in form
    async with stage.database.snapshot() as tx:
        reason = await tx.fetchval(
            "SELECT reason FROM audit_entry WHERE action = 'product.layouts_changed'"
        )
    assert reason == "asked for"


async def seen_in(browser: Browser, page: str) -> str:
    """What the form says was seen, as a browser sends it along with what is typed."""
    found = re.search(r'name="seen" value="([0-9a-f]+)"', (await browser.get(page)).text)
    assert found is not None
    return found[1]


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize(("what", "mine", "theirs"), [
    ("layouts", "m | Mine | 1 ssd", "t | Theirs | 1 hdd"), ("script", "echo mine", "echo theirs"),
])  # fmt: skip
async def test_of_two_who_change_the_same_the_second_is_told(
    owner: Browser, what: str, mine: str, theirs: str
) -> None:
    """Neither what was typed is lost, nor what the other one saved."""
    here = f"/admin/stock/products/metal-s/{what}"
    saw = await seen_in(owner, here)
    typed = {what: theirs, "reason": "first", "seen": saw}
    assert (await owner.send_form(here, here, typed)).status_code == 303
    typed = {what: mine, "reason": "second", "seen": saw}
    refused = await owner.send_form(here, here, typed)
    assert refused.status_code == 409
    assert "Someone else changed the" in refused.text
    assert mine in refused.text
    if what == "layouts":
        assert errors_of(refused.text) == {what: "Saved now: t | Theirs | 1 hdd"}
    else:
        assert 'aria-label="Saved now">echo theirs' in refused.text
    assert theirs in (await owner.get(here)).text
    again = re.search(r'name="seen" value="([0-9a-f]+)"', refused.text)
    assert again is not None
    assert (await owner.send_form(here, here, {**typed, "seen": again[1]})).status_code == 303
    assert mine in (await owner.get(here)).text


@pytest.mark.usefixtures("stage")
async def test_who_only_had_clients_choose_among_the_layouts_is_not_overwritten_unread(
    owner: Browser,
) -> None:
    here = "/admin/stock/products/metal-s/layouts"
    lines = "one | One | 1 ssd\ntwo | Two | 2 ssd raid 1"
    typed = {"layouts": lines, "reason": "why", "seen": await seen_in(owner, here)}
    assert (await owner.send_form(here, here, {**typed, "offered": "on"})).status_code == 303
    refused = await owner.send_form(here, here, typed)
    assert refused.status_code == 409
    assert errors_of(refused.text)["offered"] == "Saved now: they do"


async def test_the_script_of_a_product_is_read_by_bash_before_it_is_kept(
    stage: Stage, owner: Browser
) -> None:
    page = "/admin/stock/products/metal-s"
    here = f"{page}/script"
    assert "Nothing runs but what the chosen options add" in (await owner.get(page)).text
    broken = {"script": "if true; then\r\necho a\r\n", "reason": ""}
    refused = await owner.send_form(here, here, broken)
    assert refused.status_code == 422
    faults = errors_of(refused.text)
    assert "syntax error" in faults["script"]
    assert faults["reason"] == "Say why; it is kept."
    assert "echo a" in refused.text
    long = await owner.send_form(here, here, {"script": "#" * 16_500, "reason": "why"})
    assert "At most 16,384 characters" in errors_of(long.text)["script"]
    typed = {"script": "echo key-4711 > /root/key\r\necho b", "reason": "agents"}
    typed["seen"] = await seen_in(owner, here)
    assert (await owner.send_form(here, here, typed)).status_code == 303
    shown = (await owner.get(page)).text
    assert "2 lines of bash" in shown
    assert "key-4711" not in shown
    assert "key-4711" in (await owner.get(here)).text
    async with stage.database.snapshot() as tx:
        kept = await tx.fetchval("SELECT post_install FROM product WHERE slug = 'metal-s'")
        trail = await tx.fetchrow(
            "SELECT before::text || after::text AS told, reason FROM audit_entry "
            "WHERE action = 'product.script_changed'"
        )
    assert kept == "echo key-4711 > /root/key\necho b\n"
    assert trail["reason"] == "agents"
    assert "key-4711" not in trail["told"]
    assert '"lines": 2' in trail["told"]
    none = {"script": " \r\n", "reason": "no", "seen": await seen_in(owner, here)}
    assert (await owner.send_form(here, here, none)).is_redirect
    assert "Nothing runs" in (await owner.get(page)).text


async def test_who_waits_is_shown_with_how_often_it_was_passed_over(
    stage: Stage, owner: Browser
) -> None:
    first, _ = await stage.without_stock(product="metal-s")
    second, _ = await stage.without_stock(product="metal-s", client=1)
    here = f"/admin/backlog/{second.id}/priority"
    assert f"/admin/backlog/{first.id}/priority" in (await owner.get("/admin/backlog")).text
    refused = await owner.send_form(here, here, {"priority": "10", "reason": "vip"})
    assert errors_of(refused.text) == {"priority": "Type a whole number from -9 to 9."}
    assert (
        await owner.send_form(here, here, {"priority": "1", "reason": "vip"})
    ).status_code == 303
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'maintenance' WHERE state = 'available'")
        await tx.execute("UPDATE server SET state = 'available' WHERE name = 'ams1-a1-01'")
        served = await serve_backlog(tx)
    assert served is not None
    assert served.placed == 1
    page = (await owner.get("/admin/backlog/now")).text
    assert f'id="waiting-{first.id}"' in page
    assert f'id="waiting-{second.id}"' not in page, "the higher priority was served"
    assert "proven" in page
    async with stage.database.snapshot() as tx:
        why = await tx.fetchval(
            "SELECT reason FROM audit_entry WHERE action = 'order.priority_set'"
        )
    assert why == "vip"


async def test_only_who_draws_the_catalogue_changes_rules(stage: Stage, enter: Enter) -> None:
    operator = await enter(Role.OPERATOR)
    assert "/rules" not in (await operator.get("/admin/stock/products/metal-s")).text
