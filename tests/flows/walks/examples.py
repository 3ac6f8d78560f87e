"""A smallest flow around each node type: what it is given, what is there before, what it leaves."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec

from app.core.ids import new_id
from app.core.turns import DatabaseTurns
from app.domain.addresses.release import release as release_addresses
from app.domain.billing.facts import PaymentFacts
from app.domain.games.plan import write_game_plan
from app.domain.games.rules import GameLimits, GamePlace, GameRules, MadeOf
from app.domain.inventory.burn_in import begin_burn_in
from app.domain.inventory.release import release as release_server
from app.domain.inventory.server_facts import BurnInFacts, ServerFacts
from app.domain.machines.rules import MachinePlace, MachineRules, MachineSize
from app.domain.metal.link import link_node
from app.domain.services.facts import ServiceFacts
from app.domain.services.states import ServiceState
from app.drivers.game.contract import GameWant, Owner
from app.drivers.hypervisor.contract import Hypervisor, Nic, Ref, Size, VmWant
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.flows.document import Document, NodeSpec
from app.flows.node import Subject
from app.flows.publish import publish
from app.suites.hypervisor import through
from lab.pterodactyl.panel import Panel
from tests.devices.cabled import cable_up, power_up
from tests.flows.walks.cloud import StandInNode
from tests.flows.walks.stage import Stage, installed, provisioning, running

Look = Callable[[Stage], Awaitable[Any]]


HOST = "web-1.example.org"


async def nothing(_: Stage) -> Any:
    return None


@dataclass(frozen=True)
class Example:
    """The node under test is `it`; the flow begins by hand, or with `it` where that is a trigger."""

    params: dict[str, Any] = field(default_factory=dict)
    paths: tuple[str, ...] = ("begin > it > after",)
    """How the nodes follow one another; `after` is the step that fails to have `it` undone."""
    steps: dict[str, NodeSpec] = field(default_factory=dict)
    """The nodes that are neither `begin`, `it` nor `after`."""
    before: Callable[[Stage], Awaitable[None]] = nothing
    """What is done before the run is started."""
    about: Subject = Subject.NOTHING
    given: Callable[[Stage], Awaitable[dict[str, Any]]] | None = None
    """The run's input."""
    peer: Look = nothing
    """What the peer has afterwards: the same however often the step was done."""
    left: Look | None = None
    """What there is of that which it takes: needed of all that can be undone."""
    ends: str = "succeeded"
    varies: frozenset[str] = frozenset()
    """Fields that depend on what else has been tried."""
    needs: frozenset[str] = frozenset()
    """Peers that are processes or servers of their own: `ssh`, `dns`, `pve`, `panel`."""


def note(within: str | None = None) -> NodeSpec:
    return NodeSpec(type="t.note", within=within)


def data(**params: Any) -> Example:
    return Example(params)


def as_event(facts: msgspec.Struct) -> dict[str, Any]:
    """Return facts as the event that starts a run carries them."""
    told: dict[str, Any] = msgspec.to_builtins(facts)
    return told


async def service_facts(stage: Stage) -> dict[str, Any]:
    facts = ServiceFacts(
        service=stage.service or uuid4(), order=stage.order.id, order_number=7, account=uuid4(),
        email="a@example.org", client="Ada", product="ax-32", category=uuid4(), hostname="web-1",
        os="debian-12", state=ServiceState.active, server=None, server_name="", address="",
    )  # fmt: skip
    return as_event(facts)


async def reinstall_facts(stage: Stage) -> dict[str, Any]:
    return await service_facts(stage) | {"wanted_os": "debian-12"}


async def payment_facts(stage: Stage) -> dict[str, Any]:
    facts = PaymentFacts(
        payment=uuid4(), invoice=uuid4(), invoice_number=1, order=None, account=uuid4(),
        gateway="stripe", gateway_ref="pi_1", amount_minor=100, currency="EUR", outcome="paid",
        applied_minor=100, credited_minor=0, settled_at=stage.clock.now(),
    )  # fmt: skip
    return as_event(facts)


async def ended_facts(_: Stage) -> dict[str, Any]:
    return {
        "run": str(uuid4()), "flow": "a", "flow_name": "A", "version": 1, "outcome": "failed",
        "subject": None, "subject_kind": "nothing", "input": {}, "output": None, "error": "no",
        "created_at": "2026-03-01T01:00:00Z", "finished_at": "2026-03-01T01:01:00Z",
    }  # fmt: skip


async def alert_facts(_: Stage) -> dict[str, Any]:
    return {"name": "HostDown", "severity": "critical", "status": "firing", "labels": {}}


async def call_facts(_: Stage) -> dict[str, Any]:
    return {"method": "POST", "body": {"a": 1}, "headers": {}}


def starts(given: Any = None, about: Subject = Subject.NOTHING, **params: Any) -> Example:
    return Example(params, paths=("it > after",), given=given, about=about)


async def place(stage: Stage) -> dict[str, Any]:
    """Where the order is, and its parts."""
    return {
        "service": str(stage.service),
        "server": str(await stage.server()),
        "datacentre": "fra1",
        "rack": "r1",
        "name": HOST,
    }


async def unheld(stage: Stage) -> None:
    """Nothing is held for the order, so that all it has afterwards was taken by the run."""
    async with stage.database.transaction() as tx:
        await release_server(tx, stage.order.id)
        await release_addresses(tx, stage.order.id)


async def unaddressed(stage: Stage) -> None:
    await provisioning(stage)
    async with stage.database.transaction() as tx:
        await release_addresses(tx, stage.order.id)


async def came_back(stage: Stage) -> None:
    """Nobody has the server, and a client's data are on it."""
    await provisioning(stage)
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE server SET may_hold_data = true WHERE holder IS NOT NULL")
        await release_server(tx, stage.order.id)


async def the_one_that_came_back(stage: Stage) -> dict[str, Any]:
    async with stage.database.snapshot() as tx:
        server = await tx.fetchval("SELECT id FROM server WHERE state = 'cleaning'")
    return {"server": str(server)}


async def spare(stage: Stage) -> None:
    """A server that nobody has is to be burned in."""
    await provisioning(stage)
    async with stage.database.transaction() as tx:
        server = await tx.fetchval("SELECT id FROM server WHERE holder = $1", stage.order.id)
        await release_server(tx, stage.order.id)
        await begin_burn_in(tx, server, actor=None, actor_label="test", reason="new")


async def a_burn_in(stage: Stage) -> dict[str, Any]:
    async with stage.database.snapshot() as tx:
        return {"burn_in": str(await tx.fetchval("SELECT id FROM burn_in"))}


async def burn_in_facts(_: Stage) -> dict[str, Any]:
    facts = BurnInFacts(
        server=uuid4(), name="m1", serial="S1", datacentre="fra1", rack="r1", burn_in=uuid4(),
        minutes=60,
    )  # fmt: skip
    return as_event(facts)


async def server_facts(_: Stage) -> dict[str, Any]:
    facts = ServerFacts(server=uuid4(), name="m1", serial="S1", datacentre="fra1", rack="r1")
    return as_event(facts)


async def servers(stage: Stage) -> int:
    return await stage.count("SELECT count(*) FROM server WHERE holder IS NOT NULL")


async def addresses(stage: Stage) -> int:
    return await stage.count("SELECT count(*) FROM address_claim WHERE holder IS NOT NULL")


async def credit(stage: Stage) -> int:
    return await stage.count("SELECT coalesce(sum(amount_minor), 0) FROM credit_entry")


async def machine(stage: Stage) -> str:
    return stage.rack.state


async def installing(stage: Stage) -> tuple[str, int]:
    """Return the machine's power and how many installations go on."""
    sql = "SELECT count(*) FROM installation WHERE state IN ('prepared', 'booted', 'installing')"
    return stage.rack.state, await stage.count(sql)


async def booted(stage: Stage) -> tuple[int, int]:
    """Return how many boots of ours go on, and how many services are being rescued."""
    sql = "SELECT count(*) FROM installation WHERE state IN ('prepared', 'booted', 'installing')"
    rescued = await stage.count("SELECT count(*) FROM service WHERE rescue_since IS NOT NULL")
    return await stage.count(sql), rescued


async def told_machine(stage: Stage) -> list[str]:
    return [*stage.rack.told, stage.rack.state]


async def asked(stage: Stage) -> list[tuple[str, str, bytes]]:
    """Return the calls that differ: one with a key that is known, or that does no harm, is one."""
    calls = {(one.method, one.path, one.body) for one in stage.outside.http.asked}
    keys = {
        one.headers["Idempotency-Key"]
        for one in stage.outside.http.asked
        if "Idempotency-Key" in one.headers
    }
    assert len(keys) <= 1
    return sorted(calls)


async def ran(stage: Stage) -> list[str]:
    assert stage.outside.ssh is not None
    return stage.outside.ssh.commands


async def record(stage: Stage) -> list[str]:
    assert stage.outside.dns is not None
    return stage.outside.dns.has(HOST, "A")


async def unrecorded(stage: Stage) -> None:
    assert stage.outside.dns is not None
    await stage.outside.peers.dns.delete(stage.outside.dns.server(), f"{HOST}.", "A", ())


async def children(stage: Stage) -> list[int]:
    """Return how often the other flow's step was done, and undone."""
    count = "SELECT count(*) FROM audit_entry WHERE action = "
    return [await stage.count(f"{count}'noted'") - await stage.count(f"{count}'unnoted'")]


async def another_flow(stage: Stage) -> None:
    nodes = {"begin": NodeSpec(type="trigger.manual"), "n": note()}
    document = Document(flow="other", nodes=nodes, edges=(("begin.out", "n.in"),))
    async with stage.database.transaction() as tx:
        await publish(tx, document, note="test")


def cluster(stage: Stage) -> Hypervisor:
    assert stage.outside.pve is not None
    made: Hypervisor = stage.outside.peers.hypervisor(
        stage.outside.pve, DatabaseTurns(stage.database)
    )
    return made


async def machines(stage: Stage) -> list[tuple[str, str, int]]:
    """Return what there is of the service at the provider."""
    return [
        (one.name, one.power.value, one.size.cores)
        for one in await cluster(stage).machines()
        if one.service == stage.service
    ]


async def unmade(stage: Stage) -> None:
    """The order has its addresses, and the provider no machine of ours."""
    await provisioning(stage)
    found = cluster(stage)
    for one in await found.machines():
        if one.service is not None:
            await through(partial(found.delete, Ref(one.service, one.name)))


async def made(stage: Stage) -> None:
    """Its machine runs."""
    await unmade(stage)
    assert stage.service is not None
    want = VmWant(
        ref=Ref(stage.service, HOST), template="debian-12",
        size=Size(cores=1, memory_mb=512, disk_gb=3), nic=Nic(),
    )  # fmt: skip
    await through(partial(cluster(stage).create, want))


async def virtual(stage: Stage) -> None:
    """The product's machines are virtual, and nothing is planned for the order."""
    await unmade(stage)
    place = MachinePlace(connection="pve", datacentre="fra1", rack="r1")
    rules = MachineRules(
        size=MachineSize(cores=1, memory_mb=512, disk_gb=3),
        templates={"debian-12": "debian-12"}, places=(place,),
    )  # fmt: skip
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE product SET machine_rules = $1", msgspec.json.encode(rules).decode()
        )
        await tx.execute(
            "INSERT INTO connection (id, name, kind, facts, sealed_secrets, created_at, updated_at) "
            "VALUES ($1, 'pve', 'hypervisor', '{}', '', $2, $2) ON CONFLICT (name) DO NOTHING",
            new_id(),
            tx.now(),
        )


async def cabled(stage: Stage) -> None:
    """Its server is cabled to a switch that we reach."""
    await provisioning(stage)
    server = await stage.server()
    async with stage.database.transaction() as tx:
        await cable_up(tx, stage.vault, server)


async def port(stage: Stage) -> tuple[str, int]:
    """Return the VLANs of the server's port, at the switch and as they are written down."""
    written = "SELECT count(*) FROM switch_port WHERE untagged = 101 AND tagged = '200-201'"
    return stage.switches.ports["Gi1/0/1"].words, await stage.count(written)


async def plugged(stage: Stage) -> None:
    """Its server is plugged into PDUs that we reach."""
    await provisioning(stage)
    server = await stage.server()
    async with stage.database.transaction() as tx:
        await power_up(tx, stage.vault, server)


async def outlets(stage: Stage) -> list[tuple[str, int, Power]]:
    """Return what the PDUs were told."""
    return stage.pdus.orders


async def without_power(stage: Stage) -> list[tuple[str, int]]:
    """Return the outlets that are off."""
    return [place for place, power in stage.pdus.outlets.items() if power is Power.OFF]


async def plans(stage: Stage) -> int:
    return await stage.count("SELECT count(*) FROM machine")


def panel_of(stage: Stage) -> Panel:
    assert stage.outside.panel is not None
    return stage.outside.panel.panel


async def at_panel(stage: Stage) -> list[Any]:
    """Return what there is of the service at the panel, and how many users."""
    found = panel_of(stage)
    servers = [
        (one.name, one.status, one.power, one.limits["memory"])
        for one in found.servers.values()
        if one.external_id == str(stage.service)
    ]
    return [*servers, len(found.users)]


async def of_games(stage: Stage) -> None:
    """The product is of game servers; nothing is planned, and the panel has nothing of ours."""
    await provisioning(stage)
    found = panel_of(stage)
    found.servers.clear()
    for port in found.allocations.values():
        port.server = None
    for user in [one for one in found.users.values() if not one.root_admin]:
        found.remove_user(user)
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE product SET game_rules = $1", msgspec.json.encode(PAPER).decode())


async def game_planned(stage: Stage) -> None:
    await of_games(stage)
    assert stage.service is not None
    wanted = MadeOf(
        egg=PAPER.egg, image="", limits=PAPER.limits, variables={}, locations=("fra",)
    )  # fmt: skip
    async with stage.database.transaction() as tx:
        await write_game_plan(tx, stage.service, "play", "", wanted)


async def game_made(stage: Stage) -> None:
    """Its server runs."""
    await game_planned(stage)
    assert stage.service is not None
    assert stage.outside.game is not None
    owner = Owner(
        account=stage.order.account_id, email=stage.order.account_email, first_name="A",
        last_name="Client", password=Secret("Fit for a client, 1!"),
    )  # fmt: skip
    want = GameWant(
        service=stage.service, name=HOST, owner=owner, egg=PAPER.egg,
        limits=PAPER.limits.as_asked, locations=("fra",),
    )  # fmt: skip
    await through(partial(stage.outside.peers.game(stage.outside.game).create, want))


async def game_plans(stage: Stage) -> int:
    return await stage.count("SELECT count(*) FROM game_server")


SUM = "a" * 64


async def clouded(stage: Stage) -> None:
    """The order's server is installed by a cloud."""
    await provisioning(stage)
    server = await stage.server()
    assert stage.service is not None
    async with stage.database.transaction() as tx:
        mac = await tx.fetchval("SELECT mac FROM server WHERE id = $1", server)
        await link_node(tx, server, "metal", mac)
    stage.cloud.nodes[mac] = StandInNode(stage.service, ["before"])


async def at_cloud(stage: Stage) -> Any:
    nodes = stage.cloud.nodes.values()
    return sorted((node.service is not None, node.power.value) for node in nodes)


async def rescued_at_cloud(stage: Stage) -> int:
    return stage.cloud.rescued()


async def in_rescue(stage: Stage) -> None:
    await clouded(stage)
    for node in stage.cloud.nodes.values():
        node.in_rescue = True


async def taken_at_cloud(stage: Stage) -> int:
    return stage.cloud.taken()


async def mails(stage: Stage) -> list[str]:
    return [f"{mail.to}: {mail.subject}" for mail in stage.mailer.messages]


MACHINE = {
    "connection": "pve", "template": "debian-12", "cores": 2, "memory_mb": 512, "disk_gb": 3
}  # fmt: skip
AT_PVE = {"about": Subject.ORDER, "peer": machines, "needs": frozenset({"pve"})}
PAPER = GameRules(
    egg="Minecraft/Paper",
    limits=GameLimits(memory_mb=1_024, disk_mb=2_048, cpu_percent=100),
    places=(GamePlace(connection="play", locations=("fra",)),),
)
AT_PLAY = {
    "about": Subject.ORDER, "peer": at_panel, "needs": frozenset({"panel"}),
    "varies": frozenset({"server", "number", "node", "address", "panel_url", "short", "username"}),
}  # fmt: skip
ORDER, SERVICE = Subject.ORDER, Subject.SERVICE
BRANCHES = {"a": note(), "b": note()}
SERVICE_TRIGGER = starts(service_facts, SERVICE)

EXAMPLES: dict[str, Example] = {
    "trigger.manual": starts(call_facts),
    "trigger.order_paid": starts(about=ORDER),
    "trigger.payment_received": starts(payment_facts, Subject.PAYMENT),
    "trigger.server_burn_in": starts(burn_in_facts),
    "trigger.server_cleaning": starts(server_facts),
    "trigger.service_created": SERVICE_TRIGGER,
    "trigger.service_suspended": SERVICE_TRIGGER,
    "trigger.service_unsuspended": SERVICE_TRIGGER,
    "trigger.service_terminated": SERVICE_TRIGGER,
    "trigger.service_rescue": SERVICE_TRIGGER,
    "trigger.service_unrescue": SERVICE_TRIGGER,
    "trigger.service_reinstall": starts(reinstall_facts, SERVICE),
    "trigger.schedule": starts(cron="0 3 * * *"),
    "trigger.webhook": starts(call_facts, path="deploy"),
    "trigger.alert": starts(alert_facts),
    "trigger.flow_ended": starts(ended_facts),
    "logic.if": Example({"condition": "=true"}, ("begin > it.true > after",)),
    "logic.switch": Example(
        {"value": "a", "cases": [{"name": "a", "is": "a"}]}, ("begin > it.case:a > after",)
    ),
    "logic.parallel": Example(
        {"branches": ["a", "b"]},
        ("begin > it.branch:a > a > meet > after", "it.branch:b > b > meet"),
        BRANCHES | {"meet": NodeSpec(type="logic.join")},
    ),
    "logic.join": Example(
        {"mode": "all"}, ("begin > a > it > after", "begin > b > it"), BRANCHES
    ),
    "logic.each": Example(
        {"items": [1, 2]}, ("begin > it.each > a", "it.done > after"), {"a": note("it")}
    ),
    "logic.repeat": Example(
        {"until": "=iteration.count == 2", "max": 3, "every": "30s"},
        ("begin > it.each > a", "it.done > after"),
        {"a": note("it")},
    ),
    "logic.wait": data(**{"for": "1h"}),
    "logic.wait_event": data(event="backup.done", correlation="web-1"),
    "logic.approval": Example({"title": "Go on?"}, ("begin > it.approved > after",)),
    "logic.poll_until": Example(
        {"url": "=input.url", "until": "=result.status == 200", "every": "5s"},
        given=lambda stage: url(stage, "status"),
        peer=asked, varies=frozenset({"date"}),
    ),
    "logic.stop": Example({"output": 7}, ("begin > it",)),
    "logic.fail": Example({"message": "No."}, ("begin > it",), ends="failed"),
    "data.set": data(variables={"tries": 1}),
    "data.map": data(fields={"name": "web-1"}),
    "data.parse_json": data(text='{"id": 7}'),
    "data.template": data(text="Hello"),
    "data.regex": data(text="web-1", pattern={"re": "web"}),
    "data.lookup": data(rows=[{"plan": "small", "cores": 2}], where={"plan": "small"}),
    "action.run_flow": Example(
        {"flow": "other"}, before=another_flow, peer=children, left=children
    ),
    "action.allocate_server": Example(before=unheld, about=ORDER, peer=servers, left=servers),
    "action.allocate_addresses": Example(
        {"datacentre": "=input.datacentre", "rack": "=input.rack"},
        before=unaddressed, given=place, about=ORDER, peer=addresses, left=addresses,
        varies=frozenset({"ipv4", "ipv6", "vlan", "position", "last_offset", "network"}),
    ),
    "action.install_os": Example(
        {"service": "=input.service", "server": "=input.server"},
        before=provisioning, given=place, about=ORDER, peer=installing, left=installing,
    ),
    "action.burn_in": Example(
        {"burn_in": "=input.burn_in"},
        before=spare, given=a_burn_in, peer=installing, left=installing,
    ),
    "action.erase_disks": Example(
        {"server": "=input.server"},
        before=came_back, given=the_one_that_came_back, peer=installing, left=installing,
    ),
    "action.reinstall_os": Example(
        {}, before=running, about=ORDER, peer=installing, left=booted
    ),
    "action.health_gate": Example(
        {"server": "=input.server"}, before=installed, given=place, about=ORDER, peer=machine
    ),
    "action.recover_bmc": Example(
        {"server": "=input.server"}, ("begin > it.fine > after",),
        before=running, given=place, about=ORDER, peer=machine, left=without_power,
    ),
    "action.rescue": Example({}, before=running, about=ORDER, peer=installing, left=booted),
    "action.unrescue": Example({}, before=running, about=ORDER, peer=machine),
    "action.quarantine_server": Example(
        {"server": "=input.server"}, before=provisioning, given=place, about=ORDER, peer=servers
    ),
    "action.update_service": Example(
        {"service": "=input.service", "server": "=input.server"},
        before=provisioning, given=place, about=ORDER,
    ),
    "action.give_back": Example(before=provisioning, about=ORDER, peer=servers),
    "action.send_mail": Example(
        {"template": "service-delivered"}, before=installed, about=ORDER, peer=mails
    ),
    "action.note": Example({"text": "Looked at."}, about=ORDER),
    "action.issue_credit": Example(
        {"amount_minor": 500, "reason": "For the delay."}, about=ORDER, peer=credit, left=credit
    ),
    "action.power": Example(
        {"power": "off"}, before=running, about=ORDER, peer=told_machine
    ),
    "action.http": Example(
        {"method": "POST", "url": "=input.url", "idempotency_key": "Idempotency-Key", "body": {"n": 1}},
        given=lambda stage: url(stage, "status"),
        peer=asked, varies=frozenset({"date"}),
    ),
    "action.chat_webhook": Example({"connection": "chat", "text": "Hello"}, peer=asked),
    "action.ssh": Example(
        {"connection": "ssh", "command": "echo hi"}, peer=ran, needs=frozenset({"ssh"})
    ),
    "action.dns_record": Example(
        {"connection": "dns", "type": "A", "name": "=input.name", "values": ["192.0.2.7"]},
        before=unrecorded, given=place, peer=record, left=record, needs=frozenset({"dns"}),
    ),
    "action.outlet_power": Example(
        {"power": "cycle"}, before=plugged, about=ORDER, peer=outlets, left=without_power
    ),
    "action.port_vlan": Example(
        {"vlan": 101, "tagged": "201,200"}, before=cabled, about=ORDER, peer=port, left=port
    ),
    "action.metal_install": Example(
        {"connection": "metal", "images": {"debian-12": {"url": "https://i.test/d", "checksum": SUM}}},
        before=provisioning, about=ORDER, peer=at_cloud, left=taken_at_cloud,
    ),
    "action.metal_power": Example(
        {"connection": "metal", "power": "on"}, before=clouded, about=ORDER, peer=at_cloud
    ),
    "action.metal_release": Example(before=clouded, about=ORDER, peer=at_cloud),
    "action.metal_rescue": Example(
        before=clouded, about=ORDER, peer=rescued_at_cloud, left=rescued_at_cloud
    ),
    "action.metal_unrescue": Example(before=in_rescue, about=ORDER, peer=rescued_at_cloud),
    "action.vm_plan": Example(
        {"service": "=input.service"},
        before=virtual, given=place, about=ORDER, peer=plans, left=plans,
        varies=frozenset({"node", "nodes"}), needs=frozenset({"pve"}),
    ),
    "action.vm_answers": Example(before=provisioning, about=ORDER),
    "action.vm_create": Example(
        MACHINE, before=unmade, left=machines, varies=frozenset({"machine", "node"}), **AT_PVE
    ),
    "action.vm_power": Example(
        {"connection": "pve", "deed": "suspend"},
        before=made, varies=frozenset({"machine", "node"}), **AT_PVE,
    ),
    "action.vm_reinstall": Example(
        MACHINE, before=made, varies=frozenset({"machine", "node"}), **AT_PVE
    ),
    "action.vm_resize": Example(
        {"connection": "pve", "cores": 2, "memory_mb": 1024, "disk_gb": 4},
        before=made, varies=frozenset({"machine", "node"}), **AT_PVE,
    ),
    "action.vm_delete": Example({"connection": "pve"}, before=made, **AT_PVE),
    "action.game_plan": Example(
        {"service": "=input.service"},
        before=of_games, given=place, about=ORDER, peer=game_plans, left=game_plans,
        needs=frozenset({"panel"}),
    ),
    "action.game_create": Example(before=game_planned, left=at_panel, **AT_PLAY),
    "action.game_power": Example({"deed": "suspend"}, before=game_made, **AT_PLAY),
    "action.game_reinstall": Example(before=game_made, **AT_PLAY),
    "action.game_resize": Example({"memory_mb": 2048}, before=game_made, **AT_PLAY),
    "action.game_delete": Example(before=game_made, **AT_PLAY),
    "data.order": Example(before=provisioning, about=ORDER),
}  # fmt: skip


async def url(stage: Stage, path: str) -> dict[str, Any]:
    return {"url": f"{stage.outside.http.url}/{path}"}
