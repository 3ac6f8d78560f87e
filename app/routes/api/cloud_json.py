"""Nodes of clouds of bare metal as the API tells them; what this says stays as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.domain.inventory.states import ServerState
from app.domain.metal.node_rule import NodeDrift
from app.domain.metal.remedy import NodeDeed, deeds_for
from app.domain.metal.views import CloudView, NodeRow
from app.domain.services.states import ServiceState
from app.drivers.metal.contract import Stage
from app.drivers.power import Power
from app.routes.api.listing import Paged
from app.routes.api.space_json import Why, same

NodeId: TypeAlias = Annotated[UUID, PathParameter(description="Our id of the node.")]
CloudName: TypeAlias = Annotated[str, PathParameter(description="Name of the connection.")]


class CloudLine(Struct, frozen=True, kw_only=True):
    """A cloud of bare metal, and what it said when it was asked for all its nodes."""

    connection: str
    heard_at: Annotated[datetime | None, Meta(description="When it answered last.")]
    silent_since: Annotated[
        datetime | None,
        Meta(description="Since when it does not answer; its nodes are told as they were."),
    ]
    silence: Annotated[str, Meta(description="Why it does not, in its words.")]
    nodes: Annotated[int, Meta(description="How many it shows.")]
    linked: Annotated[int, Meta(description="Servers here that are its nodes.")]
    gone: Annotated[int, Meta(description="How many of these it shows no more.")]


class CloudList(Struct, frozen=True):
    """All clouds by name."""

    items: tuple[CloudLine, ...]


class NodeLine(Struct, frozen=True, kw_only=True):
    """A node as its cloud last showed it, the server that it is, and how it differs."""

    id: UUID
    connection: str
    node: Annotated[str, Meta(description="Its id at the cloud.")]
    name: str
    stage: Annotated[Stage | None, Meta(description="Where it stands; null: never shown.")]
    state: Annotated[str, Meta(description="The cloud's own word for that.")]
    changed_at: Annotated[datetime | None, Meta(description="Since when, as far as was read.")]
    power: Power
    in_maintenance: bool
    maintenance_reason: str
    fault: Annotated[
        str,
        Meta(
            description="Why the cloud itself put it into maintenance (`power failure`, `clean "
            "failure`); empty where a person did."
        ),
    ]
    error: Annotated[
        str, Meta(description="What the cloud said last of a failure; it may be over.")
    ]
    error_at: datetime | None
    instance: Annotated[str, Meta(description="Id of the allocation that has it.")]
    allocated_to: Annotated[
        UUID | None, Meta(description="The service whose allocation this is; null: none of ours.")
    ]
    resource_class: str
    driver: str
    first_seen_at: datetime
    heard_at: Annotated[datetime | None, Meta(description="When its cloud answered last.")]
    gone_since: Annotated[datetime | None, Meta(description="Since when it is not shown.")]
    silent_since: Annotated[
        datetime | None, Meta(description="Since when its cloud does not answer.")
    ]
    drift: Annotated[
        NodeDrift | None, Meta(description="How it differs, once a second reading said so.")
    ]
    drift_since: datetime | None
    server: Annotated[UUID | None, Meta(description="The server that it is; null: none here.")]
    server_name: str | None
    server_state: ServerState | None
    service: Annotated[UUID | None, Meta(description="Who has the server.")]
    service_state: ServiceState | None
    hostname: str | None
    is_ordered: Annotated[bool, Meta(description="It is being put right just now.")]
    deeds: Annotated[tuple[NodeDeed, ...], Meta(description="What may be done about it now.")]


class NodeList(Paged, frozen=True, kw_only=True):
    """Nodes, the latest first."""

    items: tuple[NodeLine, ...]


class NodeOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done, one of the node's `deeds`, and why."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"deed": "forget", "reason": "It was sold."}

    deed: Annotated[
        NodeDeed,
        Meta(
            description="`offer` and `release` have the cloud clean its disks: what is on them is "
            "lost. `end_maintenance` ends what was read last, and no other; `maintenance_reason` "
            "says which that is meant to be. "
            "`forget` and `aside` change nothing at the cloud."
        ),
    ]
    reason: Why
    maintenance_reason: Annotated[
        str | None,
        Meta(
            description="Of `end_maintenance`: why the node is in maintenance, as it was told. "
            "Another reason meanwhile is refused with 409."
        ),
    ] = None


class NodeOrdered(Struct, frozen=True, kw_only=True):
    """What was asked for; its outcome is in the trail of its server, and in the next readings."""

    about: UUID
    deed: NodeDeed


class CloudLook(Struct, frozen=True, kw_only=True):
    """A cloud that is being asked."""

    connection: str


def cloud_line(one: CloudView) -> CloudLine:
    return CloudLine(**same(one, CloudLine.__struct_fields__))


def node_line(one: NodeRow) -> NodeLine:
    names = tuple(name for name in NodeLine.__struct_fields__ if name != "deeds")
    return NodeLine(**same(one, names), deeds=deeds_for(one))
