"""A run of each shipped flow: what it is about, and how what it did is told from another's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.billing.facts import PaymentFacts
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed
from app.domain.inventory.confirm import begin_provisioning
from app.domain.machines.choose import Chosen
from app.domain.machines.plan import write_plan
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.states import OrderState, move
from app.domain.services.deliver import deliver_service
from app.domain.services.facts import ServiceFacts
from app.domain.services.open import open_service
from app.domain.services.states import ServiceState
from app.flows.document import Document
from app.flows.gallery import find_template, list_templates
from app.flows.node import Subject
from app.flows.publish import publish
from app.flows.start import start_flow
from tests.catalog.shop import SHOP
from tests.flows.processes.bought import a_custom_service, a_game, at_the_provider, sell_more
from tests.flows.processes.world import World
from tests.machines.world import MACHINE, PLACE, RULES, a_machine_order, a_site
from tests.orders.world import a_client, an_order, machines
from tests.services.hall import give_bmcs

AS_PROXMOX = ("vps-solusvm1", "vps-solusvm2", "vps-virtualizor")
"""Their steps are those of `vps-proxmox`, by other words; the machines here are all the same."""
AS_DELIVERY = ("dedicated-ipmi", "dedicated-redfish")
"""Their steps are those of `dedicated-server`, for one kind of BMC."""
ELSEWHERE = (
    "dedicated-ironic",
    "ironic-",
    "server-burn-in",
    "server-erase",
    "server-re",
    "server-unrescue",
)
"""Of clouds of servers and live systems this world has nothing: their journeys and walks fail these
at each call."""
FLOWS = tuple(
    row.slug
    for row in list_templates()
    if row.slug not in (*AS_PROXMOX, *AS_DELIVERY) and not row.slug.startswith(ELSEWHERE)
)
CHANGED: Mapping[str, Mapping[str, Any]] = {
    "vps-resize": {"cores": 2, "memory_mb": 1024, "disk_gb": 10},
    "game-resize": {"product": "mc-8"},
    "custom-http-changed": {"plan": "18"},
}
HURRIED = "-hurried"
DELIVERIES = ("game-pterodactyl", "custom-http")
POLLING = ("custom-http", "custom-http-reinstall")
AT_LEAST_ONCE = frozenset({"alert-to-chat", "payment-to-chat", "dedicated-server"})
"""Of these a change may come about twice: chats know no keys, and a machine that has not begun to
install is booted again."""


@dataclass(frozen=True)
class Way:
    """A way through a shipped flow, as bad luck and people's words have it."""

    flow: str
    name: str = "all goes well"
    ends: str = "succeeded"
    broken: int = 0
    """How many servers cannot be installed."""
    is_locked: bool = False
    """The BMC refuses to switch the server off."""
    word: str = ""
    """What a person says to that."""
    its_own: int = 1_000
    """How many of its commits, from the last one back, no other way has."""

    @property
    def is_like_another(self) -> bool:
        """Most of its commits are those of another way, about something else."""
        return self.broken > 1 or self.flow.startswith(("game-", "custom-"))

    @property
    def is_hurried(self) -> bool:
        """It is one of waits that end by themselves."""
        return bool(self.broken) or (self.is_locked and not self.word) or self.flow in POLLING


DELIVERY, TERMINATION = "dedicated-server", "server-terminated"
WAYS = (
    *(Way(flow) for flow in FLOWS),
    Way(DELIVERY, "the first server is broken", broken=1, its_own=25),
    Way(DELIVERY, "five servers are broken", "failed", broken=5, its_own=26),
    Way(TERMINATION, "approved", is_locked=True, word="approved"),
    Way(TERMINATION, "rejected", is_locked=True, word="rejected"),
    Way(TERMINATION, "nobody decides", "failed", is_locked=True),
)


@dataclass(frozen=True)
class Begun:
    """A run, and the words that are its own in what the world was told."""

    way: Way
    run: UUID
    marks: tuple[str, ...]
    order: UUID | None = None


async def open_shop(tx: Tx, vault: Vault, servers: int) -> None:
    """Have a catalogue, machines with BMCs, and all shipped flows published.

    Each is there a second time, with pauses of less than a second: nothing else differs.
    """
    await register_catalog(tx, SHOP)
    for number in range(-(-servers // 40)):
        await machines(tx, 40, rack=f"r{number}", prefix=f"10.0.{number}.0/24")
    await give_bmcs(tx, vault)
    await tx.execute(
        "UPDATE prefix SET gateway = host(set_masklen(network::inet, 24) + 1)::inet "
        "WHERE family(network) = 4"
    )
    await a_site(tx)
    virtual = CategorySeed(slug="virtual", name="Virtual servers", products=(MACHINE,))
    await register_catalog(tx, CatalogSeed(categories=(virtual,)))
    await sell_more(tx)
    for slug in FLOWS:
        document = find_template(slug)
        await publish(tx, document, note="test")
        await publish(tx, _hurried(document), note="test")


def _hurried(document: Document) -> Document:
    nodes = dict(document.nodes)
    for name, spec in nodes.items():
        if "timeout" in spec.params:
            nodes[name] = replace(spec, params={**spec.params, "timeout": "500ms"})
        if "every" in spec.params:
            nodes[name] = replace(spec, params={**spec.params, "every": "1s"})
        if spec.retry.max > 1:
            nodes[name] = replace(spec, retry=replace(spec.retry, delay="50ms"))
    return replace(document, flow=document.flow + HURRIED, nodes=nodes)


async def begin(tx: Tx, world: World, way: Way, number: int) -> Begun:
    """Queue a run that will go this way, unlike all others by its number."""
    flow = way.flow
    host, address = (
        f"host-{number}-.example.org",
        f"10.9.{100 + number // 100}.{100 + number % 100}",
    )
    marks: tuple[str, ...] = (f"{host}.", host, address, _reversed(address))
    about: dict[str, Any] = {}
    order: UUID | None = None
    match flow:
        case "alert-to-chat":
            data: Mapping[str, Any] = {
                "name": "HostDown", "severity": "critical", "status": "firing", "summary": host,
                "labels": {},
            }  # fmt: skip
        case "payment-to-chat":
            data = payment(amount_minor=1_000_000 + number)
            about = {"subject": UUID(data["payment"]), "subject_kind": Subject.PAYMENT}
            marks = (str(data["amount_minor"]),)
        case "dns-for-hosts":
            data = {"hosts": [{"name": f"{part}-{host}", "address": address} for part in "abc"]}
        case "dedicated-server":
            order, bmc = await _ordered(tx, number)
            world.broken[order] = way.broken
            data, about = {}, {"subject": order, "subject_kind": Subject.ORDER}
            marks = (bmc, f"client-{number}-@example.org")
        case _ if flow.startswith(("vps-", "game-", "custom-")):
            sold = _machine if flow.startswith("vps-") else _bought
            order, name, about = await sold(tx, world, flow, number)
            facts = service_facts(about["subject"], order, name, address)
            data = CHANGED.get(flow) or {**facts, "wanted_os": "debian-12"}
            marks = (name, f"client-{number}-@example.org")
        case _ if flow.startswith("server-"):
            order, bmc = await _ordered(tx, number)
            service = await _delivered(tx, order)
            world.power[bmc] = "off" if flow == "server-unsuspended" else "on"
            if way.is_locked:
                world.locked.add(bmc)
            data = service_facts(service, order, host, address)
            about = {"subject": service, "subject_kind": Subject.SERVICE}
            marks = (bmc,)
        case _:
            if flow == "dns-clean-up":
                world.records |= {(f"{host}.", "A"): (address,)}
                world.records |= {(_reversed(address), "PTR"): (f"{host}.",)}
            data = service_facts(service := uuid4(), uuid4(), host, address)
            about = {"subject": service, "subject_kind": Subject.SERVICE}
    slug = flow + HURRIED if way.is_hurried else flow
    run = await start_flow(tx, slug, data=data, dedup_key=f"shipped:{number}", **about)
    if way.word:
        world.words[run] = way.word
    return Begun(way, run, marks, order)


def _reversed(address: str) -> str:
    return ".".join([*reversed(address.split(".")), "in-addr.arpa."])


async def _ordered(tx: Tx, number: int) -> tuple[UUID, str]:
    """Return a paid order, and the BMC of the server that is held for it."""
    client = await a_client(tx, f"client-{number}-@example.org")
    order = await an_order(tx, client)
    await move(tx, order.id, OrderState.paid)
    bmc: str = await tx.fetchval(
        "SELECT b.url FROM server s JOIN bmc b ON b.server = s.id WHERE s.holder = $1", order.id
    )
    return order.id, bmc


async def _delivered(tx: Tx, order: UUID) -> UUID:
    await mark_provisioning(tx, order)
    await begin_provisioning(tx, order)
    service = await open_service(tx, order)
    # A machine with data on it is not another run's as soon as it is given back.
    server = await tx.fetchval(
        "UPDATE server SET may_hold_data = true WHERE holder = $1 RETURNING id", order
    )
    await deliver_service(tx, service, server=server)
    return service


async def _machine(
    tx: Tx, world: World, flow: str, number: int
) -> tuple[UUID, str, dict[str, Any]]:
    """Return a paid order of a virtual machine, its host name, and what the run is about."""
    name = f"vm-{number}-x.example.org"
    client = await a_client(tx, f"client-{number}-@example.org")
    order = (await a_machine_order(tx, client, hostname=name)).id
    await move(tx, order, OrderState.paid)
    if flow == "vps-proxmox":
        return order, name, {"subject": order, "subject_kind": Subject.ORDER}
    service = await _delivered_machine(tx, order)
    world.machines[name] = "suspended" if flow == "vps-unsuspended" else "running"
    return order, name, {"subject": service, "subject_kind": Subject.SERVICE}


async def _bought(tx: Tx, world: World, flow: str, number: int) -> tuple[UUID, str, dict[str, Any]]:
    """Return a paid order of a game server, or a custom service, its name, and the run's subject."""
    name = f"bought-{number}-x.example.org"
    client = await a_client(tx, f"client-{number}-@example.org")
    if flow.startswith("game-"):
        order = (await a_game(tx, world.panel, client, flow, name)).id
    else:
        order = (await a_custom_service(tx, world.store, client, flow, name)).id
    if flow in DELIVERIES:
        return order, name, {"subject": order, "subject_kind": Subject.ORDER}
    service = await tx.fetchval('SELECT id FROM service WHERE "order" = $1', order)
    return order, name, {"subject": service, "subject_kind": Subject.SERVICE}


async def _delivered_machine(tx: Tx, order: UUID) -> UUID:
    await mark_provisioning(tx, order)
    service = await open_service(tx, order)
    await write_plan(tx, service, Chosen(PLACE, "pve1"), RULES.size, "debian-12")
    await deliver_service(tx, service, server=None)
    return service


def service_facts(service: UUID, order: UUID, host: str, address: str) -> Mapping[str, Any]:
    facts = ServiceFacts(
        service=service, order=order, order_number=7, account=uuid4(), email="a@example.org",
        client="Ada", product="ax-32", category=uuid4(), hostname=host, os="debian-12",
        state=ServiceState.active, server=None, server_name="", address=address,
    )  # fmt: skip
    return msgspec.to_builtins(facts)  # type: ignore[no-any-return]


def payment(amount_minor: int) -> Mapping[str, Any]:
    facts = {
        "payment": str(uuid4()), "invoice": str(uuid4()), "invoice_number": 1, "order": None,
        "account": str(uuid4()), "gateway": "stripe", "gateway_ref": "pi_1", "currency": "EUR",
        "amount_minor": amount_minor, "outcome": "paid", "applied_minor": amount_minor,
        "credited_minor": 0, "settled_at": "2026-11-25T12:00:00Z",
    }  # fmt: skip
    msgspec.convert(facts, PaymentFacts)
    return facts


async def told(tx: Tx, world: World, begun: Begun) -> dict[str, Any]:
    """Return all that there is of a run: the same of two runs that did the same."""
    taken = await tx.fetch(
        "SELECT b.url FROM run_resource r JOIN bmc b ON b.server::text = r.reference "
        "WHERE r.run = $1 AND r.kind = 'server'",
        begun.run,
    )
    changes = world.of(*begun.marks, *(row["url"] for row in taken))
    bought = await tx.fetchrow(
        'SELECT id, account FROM service WHERE "order" = $1', begun.order or new_id()
    )
    return {
        "bought": at_the_provider(world.panel, world.store, *(bought or (None, None))),
        "run": (await tx.fetchval("SELECT status FROM run WHERE id = $1", begun.run)),
        "story": await _counted(
            tx, "SELECT kind, scope, node FROM run_event WHERE run = $1 AND kind <> 'waiting'", begun.run
        ),
        "attempts": await _counted(
            tx, "SELECT scope, node, attempt, status, port FROM step_attempt WHERE run = $1", begun.run
        ),
        "ledger": await _counted(
            tx, "SELECT kind, state FROM run_resource WHERE run = $1", begun.run
        ),
        "order": await _counted(
            tx,
            'SELECT o.state, s.state, m.state, (SELECT count(*) FROM mail WHERE "order" = o.id), '
            "(SELECT count(*) FROM address_claim WHERE holder = o.id), "
            "(SELECT m.power || (m.removed_at IS NOT NULL) FROM machine m WHERE m.service = s.id), "
            "(SELECT count(*) FROM audit_entry WHERE subject = o.id AND action = 'order.noted') "
            'FROM client_order o LEFT JOIN service s ON s."order" = o.id '
            "LEFT JOIN server m ON m.holder = o.id WHERE o.id = $1",
            begun.order or new_id(),
        ),
        "servers": await _counted(
            tx,
            "SELECT s.state FROM run_resource r JOIN server s ON s.id::text = r.reference "
            "WHERE r.run = $1 AND r.kind = 'server'",
            begun.run,
        ),
        "world": set(changes) if begun.way.flow in AT_LEAST_ONCE else changes,
    }  # fmt: skip


async def _counted(tx: Tx, sql: str, about: UUID) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row) for row in await tx.fetch(sql, about))
