"""Servers at clouds of bare metal as the API tells them; what this says stays as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.domain.metal.errand import ErrandState, ErrandView
from app.domain.metal.propose import By, Stray
from app.domain.metal.standing import CloudStanding, NodeStanding
from app.domain.metal.want import Deed, Driver, Name, ResourceClass, deed_of
from app.routes.api.space_json import Why, same

ErrandId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the errand.")]
Cloud: TypeAlias = Annotated[
    str, Meta(description="Name of a connection of kind `metal`.", min_length=1, max_length=200)
]


class StepLine(Struct, frozen=True, kw_only=True):
    """A step of an errand."""

    step: Annotated[
        str,
        Meta(
            description="`known`, `taken_on`, `inspected`, `offered`, `cleaned`, `adopted` or "
            "`withdrawn`."
        ),
    ]
    done_at: Annotated[datetime | None, Meta(description="Null: not through yet.")]


class NodeErrand(Struct, frozen=True, kw_only=True):
    """What a worker does about a server at a cloud, and how far it is."""

    id: UUID
    server: UUID
    server_name: str
    connection: str
    deed: Deed
    state: ErrandState
    steps: tuple[StepLine, ...]
    says: Annotated[str, Meta(description="What is under way, or what became of it.")]
    error: Annotated[
        str, Meta(description="What stands in the way, in the cloud's words; while `working`, it "
                  "is tried again by itself.")
    ]  # fmt: skip
    asked_as: str
    asked_at: datetime
    ends_at: Annotated[datetime, Meta(description="When it is given up.")]
    finished_at: datetime | None


class ServerNode(Struct, frozen=True, kw_only=True):
    """The node that a server is, as its cloud last said; empty while no cloud has it."""

    connection: str
    node: Annotated[str, Meta(description="Its id at the cloud.")]
    state: Annotated[str, Meta(description="The cloud's own word: available, active.")]
    power: str
    error: Annotated[str, Meta(description="The cloud's last words about a failure.")]
    seen_at: datetime | None
    about: Annotated[
        UUID | None,
        Meta(description="Our id of the node, for `/nodes`; null: its cloud was not read yet."),
    ]
    in_maintenance: Annotated[bool, Meta(description="As its cloud was read last.")]
    maintenance_reason: str
    fault: Annotated[str, Meta(description="Why the cloud itself put it there; else empty.")]
    last_errand: NodeErrand | None


class EnrolAsk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a cloud is to know a server; address and password of its BMC are sent anyway."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "connection": "fra-ironic",
        "resource_class": "baremetal",
        "interfaces": {"boot": "redfish-virtual-media"},
    }

    connection: Cloud
    name: Annotated[
        str, Meta(description="Of the node; empty: the server's own.", max_length=255)
    ] = ""
    driver: Annotated[Driver, Meta(description="Empty: by the BMC's protocol.")] = ""
    resource_class: ResourceClass = "baremetal"
    ca: Annotated[
        str,
        Meta(
            description="Whose certificate the BMC must show: `check`, `any` (not safe), or the "
            "path of an authority's on the conductor.",
            pattern="^(check|any|/.+)$",
            max_length=300,
        ),
    ] = "check"
    interfaces: Annotated[dict[str, str], Meta(description="By kind: `boot`, `deploy`.")] = {}
    driver_info: Annotated[dict[str, str], Meta(description="More of it; nothing secret.")] = {}
    inspect: bool = True
    offer: Annotated[bool, Meta(description="Have it cleaned and offered.")] = True
    stock: Annotated[
        bool,
        Meta(description="Put it into stock then, unless what was found differs from the record."),
    ] = False


class AdoptAsk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which node of which cloud a server is, and what becomes of it."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "connection": "fra-ironic",
        "node": "3469418b-5b64-4d86-abe6-bd3213153f33",
        "how": "running",
    }

    connection: Cloud
    node: Name
    how: Annotated[
        Literal["link", "running", "offer"],
        Meta(
            description="Only write down which it is; have the cloud take over what runs; or have "
            "it cleaned and offered."
        ),
    ] = "link"
    inspect: bool = False


class WithdrawAsk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a server is taken out of its cloud."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "It goes to another datacentre."}

    reason: Why


class ProposedServer(Struct, frozen=True, kw_only=True):
    """A server that a node may be, and what says so."""

    server: UUID
    name: str
    by: Annotated[By, Meta(description="What says so; our mark says most, the name least.")]


class StrayNode(Struct, frozen=True, kw_only=True):
    """A node of a cloud that is no server of ours."""

    node: Annotated[str, Meta(description="Its id at the cloud.")]
    name: str
    state: str
    driver: str
    resource_class: str
    error: str
    macs: tuple[str, ...]
    proposal: ProposedServer | None


class StrayNodes(Struct, frozen=True, kw_only=True):
    """The first 50 of them, those with a proposal first."""

    items: tuple[StrayNode, ...]
    total: int


def errand_line(view: ErrandView) -> NodeErrand:
    done = {one.step: one.at for one in view.done}
    names = tuple(name for name in NodeErrand.__struct_fields__ if name not in {"deed", "steps"})
    return NodeErrand(
        **same(view, names),
        deed=deed_of(view.wanted),
        steps=tuple(StepLine(step=one.value, done_at=done.get(one)) for one in view.wanted.steps),
    )


def node_line(standing: CloudStanding) -> ServerNode:
    node = standing.node or NodeStanding(
        connection="", node="", state="", power="", error="", seen_at=None
    )
    shown = standing.shown
    return ServerNode(
        **same(node, NodeStanding.__struct_fields__),
        about=shown.id if shown else None,
        in_maintenance=shown is not None and shown.in_maintenance,
        maintenance_reason=shown.maintenance_reason if shown else "",
        fault=shown.fault if shown else "",
        last_errand=errand_line(standing.errand) if standing.errand else None,
    )


def stray_line(stray: Stray) -> StrayNode:
    node, found = stray.node, stray.proposal
    return StrayNode(
        node=node.id,
        name=node.name,
        state=node.state,
        driver=node.driver,
        resource_class=node.resource_class,
        error=node.error,
        macs=stray.macs,
        proposal=None
        if found is None
        else ProposedServer(server=found.server.id, name=found.server.name, by=found.by),
    )
