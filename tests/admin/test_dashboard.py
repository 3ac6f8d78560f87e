"""The dashboard: stuck first, figures that are right, and as cheap as it says."""

from datetime import timedelta

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.domain.accounts.roles import Role
from app.domain.orders.figures import backlog, deliveries, owed
from app.flows.gallery import find_template
from app.flows.node import Subject
from app.flows.publish import publish
from app.flows.start import start_flow
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser


async def test_an_empty_provider_is_shown_as_one(owner: Browser) -> None:
    page = await owner.get("/admin")
    assert page.status_code == 200
    assert "No order is moving" in page.text
    assert "Nothing is on sale" in page.text
    assert "Needs a look" not in page.text


async def test_what_is_stuck_comes_first_with_why_and_retry(stage: Stage, owner: Browser) -> None:
    moving, _ = await stage.installing(host="moving.example.org")
    waiting, _ = await stage.without_stock(host="waiting.example.org")
    late, _ = await stage.retrying(host="late.example.org")
    halted, run = await stage.halted(host="halted.example.org", error="the BMC says <no>")
    page = (await owner.get("/admin")).text
    places = [page.index(order.hostname) for order in (halted, waiting, late, moving)]
    assert places == sorted(places)
    assert "the BMC says &lt;no&gt;" in page
    assert "waiting for a server" in page
    assert "next try in 40 s" in page
    assert page.count(f"/admin/runs/{run}/retry") == page.count("/retry") == 1


async def test_an_order_without_a_run_that_failed_needs_a_look(
    stage: Stage, owner: Browser
) -> None:
    order = await stage.paid(host="lost.example.org")
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE client_order SET state = 'failed', state_reason = 'gave up' WHERE id = $1",
            order.id,
        )
    page = (await owner.get("/admin/dashboard/now")).text
    assert "Needs a look" in page
    assert "gave up" in page


async def test_only_what_delivers_an_order_is_in_flight(
    stage: Stage, enter: Enter, clock: SetClock
) -> None:
    _, run = await stage.installing(host="moving.example.org")
    await stage.halted(host="halted.example.org")
    served = await stage.delivered(host="served.example.org")
    clock.advance(days=90)
    async with stage.database.transaction() as tx:
        await publish(tx, find_template("server-rescue"), note="shipped")
        rescue = await start_flow(
            tx, "server-rescue", data={"service": str(served.service_id)}, dedup_key="rescue:1",
            subject=served.service_id, subject_kind=Subject.SERVICE,
        )  # fmt: skip
    clock.advance(seconds=70)
    page = (await (await enter(Role.OWNER)).get("/admin/dashboard/now")).text
    orders, others = page.split("Other runs under way", 1)
    figure = page[page.index("In flight") :]
    assert ">2<" in figure[: figure.index("await payment")]
    assert f'id="moving-{run}"' in orders
    assert orders.count('id="moving-') == 1
    assert "All 2 in flight<" in orders
    assert 'href="/admin/runs">All runs<' in others
    assert others.count('id="moving-') == 1
    row = others[others.index(f'id="moving-{rescue}"') :]
    assert served.hostname in row
    assert "Rescue" in row
    assert "1 min 10 s" in row, "not since its order was paid"


async def test_delivery_times_are_of_today_and_of_the_week(stage: Stage, clock: SetClock) -> None:
    await stage.delivered(took=timedelta(seconds=900))
    clock.advance(days=8)
    await stage.delivered(took=timedelta(seconds=300))
    clock.advance(days=2)
    for seconds in (60, 70, 80):
        await stage.delivered(took=timedelta(seconds=seconds))
    async with stage.database.snapshot() as tx:
        figures = await deliveries(tx)
    assert (figures.today.count, figures.week.count) == (3, 4)
    assert figures.today.p50 == timedelta(seconds=70)
    assert figures.today.p99 == timedelta(seconds=80)
    assert figures.week.p99 == timedelta(seconds=300)
    assert figures.recent_s[0] == 300.0
    assert set(figures.recent_s[1:]) == {60.0, 70.0, 80.0}


async def test_a_delivery_and_a_run_are_told_as_two_measures(stage: Stage, owner: Browser) -> None:
    await stage.delivered(took=timedelta(seconds=60))
    assert "from the payment; 7 days: 1 min 00 s" in (await owner.get("/admin")).text
    flow = (await owner.get("/admin/flows/dedicated-server")).text
    assert "A run takes, p50" in flow
    assert "from its start, in 30 days; p99 " in flow


async def test_nothing_delivered_has_no_times(database: Database) -> None:
    async with database.snapshot() as tx:
        figures = await deliveries(tx)
    assert figures.today.p50 is None
    assert figures.recent_s == ()


async def test_what_is_owed_and_the_backlog(stage: Stage, clock: SetClock) -> None:
    first, second = await stage.order(), await stage.order()
    await stage.paid()
    async with stage.database.snapshot() as tx:
        (open_,) = await owed(tx)
        behind = await backlog(tx)
    assert open_.count == 2
    assert open_.due_minor == first.total_minor + second.total_minor
    assert open_.overdue == 0
    assert (behind.in_flight, behind.awaiting_payment) == (1, 2)
    assert behind.outbox > 0
    assert behind.oldest_at == clock.now()
    clock.advance(days=30)
    async with stage.database.snapshot() as tx:
        assert (await owed(tx))[0].overdue == 2


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect every statement that is run."""
    seen: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        real = getattr(Tx, name)

        async def spy(self: Tx, sql: str, *values: object, real: object = real) -> object:
            seen.append(sql)
            return await real(self, sql, *values)  # type: ignore[operator]

        monkeypatch.setattr(Tx, name, spy)
    return seen


async def test_the_fragment_costs_the_same_however_much_is_under_way(
    stage: Stage, owner: Browser, statements: list[str]
) -> None:
    await stage.put_aside("ams1-a1-01", "hung")
    await stage.halted(product="metal-m")
    await owner.get("/admin/dashboard/now")
    statements.clear()
    await owner.get("/admin/dashboard/now")
    few = len(statements)
    for _ in range(6):
        await stage.installing(product="metal-s")
    statements.clear()
    page = await owner.get("/admin/dashboard/now")
    assert page.text.count('id="moving-') == 6
    assert len(statements) == few
    assert few <= 8  # 7 of the fragment and one for the session


async def test_the_stock_says_how_many_and_where(stage: Stage, owner: Browser) -> None:
    before = (await owner.get("/admin/dashboard/stock")).text
    assert "Metal S" in before
    assert "Amsterdam 1" in before
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'maintenance' WHERE cpu_model = (SELECT id FROM cpu_model WHERE name LIKE 'AMD%')")  # fmt: skip
    after = (await owner.get("/admin/dashboard/stock")).text
    row = after[after.index('id="stock-metal-l"') :]
    assert row.count("sw-none-left") == 3


@pytest.mark.parametrize(
    ("role", "sees", "not_"),
    [
        (Role.FINANCE, ["Owed"], ["in quarantine", "Everywhere", "/retry"]),
        (Role.DESIGNER, ["in quarantine", "Everywhere"], ["Owed", "/retry"]),
        (Role.OPERATOR, ["Owed", "in quarantine", "Everywhere", "/retry"], []),
    ],
)
async def test_each_role_sees_its_part(
    stage: Stage, enter: Enter, role: Role, sees: list[str], not_: list[str]
) -> None:
    await stage.halted()
    await stage.put_aside("fra1-b1-02", "fans dead")
    page = (await (await enter(role)).get("/admin")).text
    assert [word for word in sees if word not in page] == []
    assert [word for word in not_ if word in page] == []
