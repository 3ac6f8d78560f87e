"""A flow and node types with typed outputs, for what the editor is told about expressions."""

from typing import Annotated, Any

import msgspec

from app.flows.document import Document, NodeSpec
from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True):
    items: Any = None
    until: str = ""
    variables: dict[str, Any] = {}
    text: str = ""


class Disk(msgspec.Struct, frozen=True):
    name: Annotated[str, msgspec.Meta(description="As the system calls it.")]
    size_gb: int


class Rack(msgspec.Struct, frozen=True):
    name: str
    unit: int | None = None


class Server(msgspec.Struct, frozen=True):
    hostname: Annotated[str, msgspec.Meta(description="Its full name.", examples=["srv-1"])]
    disks: list[Disk]
    rack: Rack
    price: float
    tags: dict[str, str]
    parent: "Server | None" = None


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: Any = None


def do(step: Step, params: Params) -> Done:
    return Done(None)


def variables_schema(params: Any) -> dict[str, Any]:
    given = params["variables"]
    return {"type": "object", "properties": {name: {} for name in given}}


def kind(name: str, **more: Any) -> NodeType:
    title = name.rpartition(".")[2].title()
    return NodeType(name, title, title, Params, Effect.PURE, do, **more)


KINDS = {
    (one.name, 1): one
    for one in (
        kind("t.begin", trigger="test"),
        kind("t.server", output=Server),
        kind("t.http", output=Answer, lazy=frozenset({"until"})),
        kind("t.free"),
        kind("data.set", output_of=variables_schema),
        kind("logic.each", container=True, ports=("each", "done"), lazy=frozenset({"collect"})),
        kind("logic.repeat", container=True, ports=("each", "done"), lazy=frozenset({"until"})),
    )
}

FLOW = Document(
    flow="sight",
    inputs={
        "type": "object",
        "properties": {
            "host": {"type": "string", "description": "What the client called it."},
            "count": {"type": "integer"},
            "hosts": {"type": "array", "items": {"$ref": "#/$defs/host"}},
            "any": True,
        },
        "$defs": {"host": {"type": "object", "properties": {"port": {"type": "integer"}}}},
    },
    nodes={
        "begin": NodeSpec(type="t.begin"),
        "server": NodeSpec(type="t.server", name="Take a server"),
        "create-vm": NodeSpec(type="t.http", name="Create VM"),
        "undo-vm": NodeSpec(type="t.free"),
        "keep": NodeSpec(
            type="data.set",
            name="Keep",
            params={"variables": {"zone": "eu", "tries": 1, "id": "=steps.server.hostname"}},
        ),
        "loop": NodeSpec(type="logic.each", params={"items": "=steps.server.disks"}),
        "wipe": NodeSpec(type="t.server", within="loop"),
        "check": NodeSpec(type="t.http", within="loop"),
        "after": NodeSpec(type="t.free", params={"text": ""}),
        "sorry": NodeSpec(type="t.free"),
    },
    edges=(
        ("begin.out", "server.in"),
        ("server.out", "create-vm.in"),
        ("create-vm.out", "keep.in"),
        ("create-vm.error", "sorry.in"),
        ("keep.out", "loop.in"),
        ("loop.each", "wipe.in"),
        ("wipe.out", "check.in"),
        ("loop.done", "after.in"),
    ),
)
FLOW.nodes["create-vm"] = msgspec.structs.replace(FLOW.nodes["create-vm"], compensate="undo-vm")
