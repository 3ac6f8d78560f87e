"""A run of each shipped flow: the shop that it is in, and what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from msgspec.structs import replace

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed
from app.domain.machines.choose import Chosen
from app.domain.machines.plan import write_plan
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.states import OrderState, move
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.flows.document import Document
from app.flows.gallery import find_template
from app.flows.node import Subject
from app.flows.publish import publish
from app.flows.start import start_flow
from tests.catalog.shop import SHOP
from tests.flows.processes.bought import a_custom_service, a_game, sell_more
from tests.flows.processes.facts import payment, service_facts
from tests.flows.processes.servers import Held, a_server
from tests.flows.processes.ways import CHANGED, FLOWS, HURRIED, Way
from tests.flows.processes.world import World
from tests.machines.world import MACHINE, PLACE, RULES, a_machine_order, a_site
from tests.orders.world import a_client, machines
from tests.services.hall import give_bmcs

DELIVERIES = ("game-pterodactyl", "custom-http")


@dataclass(frozen=True)
class Begun:
    """A run, and the words that are its own in what the world was told."""

    way: Way
    run: UUID
    marks: tuple[str, ...]
    order: UUID | None = None
    held: Held | None = None
    """The first server that it is about."""


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
    # Runs are begun by hand: what one does with a server starts none that listens to that.
    await tx.execute("DELETE FROM flow_trigger")


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
    held: Held | None = None
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
        case _ if flow.startswith(("dedicated-", "server-", "ironic-")):
            held, about, said = await a_server(tx, world, way, number)
            if way.by_http:
                await tx.execute("UPDATE bmc SET boot_method = 'http' WHERE url = $1", held.bmc)
            order, marks = held.order, (held.bmc, held.mac, f"client-{number}-@example.org")
            facts = service_facts(about.get("subject", order), order, host, address)
            data = said or {**facts, "wanted_os": "debian-12"}
        case _ if flow.startswith(("vps-", "game-", "custom-")):
            sold = _machine if flow.startswith("vps-") else _bought
            order, name, about = await sold(tx, world, flow, number)
            facts = service_facts(about["subject"], order, name, address)
            data = CHANGED.get(flow) or {**facts, "wanted_os": "debian-12"}
            marks = (name, f"client-{number}-@example.org")
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
    return Begun(way, run, marks, order, held)


def _reversed(address: str) -> str:
    return ".".join([*reversed(address.split(".")), "in-addr.arpa."])


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
