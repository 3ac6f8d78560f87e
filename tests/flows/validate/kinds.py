"""Small node types, one for each thing that validation looks at, and how to write flows of them."""

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from app.flows.document import Document, NodeSpec
from app.flows.node import Done, Effect, Idempotency, NodeType, Step, Subject
from app.flows.validate import Problem, problems_of


class Nothing(msgspec.Struct, frozen=True):
    pass


class Box(msgspec.Struct, frozen=True):
    width: int
    label: str = ""


class Params(msgspec.Struct, frozen=True):
    text: str = ""
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    ratio: float = 1.0
    is_on: bool = False
    id: UUID | None = None
    mode: Literal["fast", "slow"] = "fast"
    boxes: list[Box] = []
    names: dict[str, str] = {}
    connection: str = ""
    anything: Any = None


class Needed(msgspec.Struct, frozen=True):
    text: str


class Facts(msgspec.Struct, frozen=True):
    name: str
    count: int
    id: UUID
    ratio: float
    nick: str | None
    mode: Literal["fast", "slow"]
    colour: Literal["red", "blue"]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    box: Box
    boxes: list[Box]
    free: dict[str, Any]


class Ordered(msgspec.Struct, frozen=True):
    order: UUID


class Cases(msgspec.Struct, frozen=True):
    cases: list[str]


class Mode(msgspec.Struct, frozen=True):
    mode: Literal["all", "any"] = "all"


class Items(msgspec.Struct, frozen=True):
    items: list[Any]
    concurrency: int = 1
    collect: str | None = None


class Rounds(msgspec.Struct, frozen=True):
    until: Annotated[str, msgspec.Meta(pattern="^=[^=]")]
    max: Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class Last(msgspec.Struct, frozen=True):
    count: int
    last: dict[str, object]


class Variables(msgspec.Struct, frozen=True):
    variables: dict[str, Any]


class Lazy(msgspec.Struct, frozen=True):
    until: Annotated[str, msgspec.Meta(pattern="^=[^=]")]


class Limit(msgspec.Struct, frozen=True):
    timeout: str | None = None


class Full(msgspec.Struct, frozen=True):
    first: str
    last: str

    def __post_init__(self) -> None:
        if self.first == self.last:
            raise ValueError("first and last are the same")


def do(step: Step, _: Any) -> Done:
    return Done({})


async def call(step: Step, _: Any) -> Done:
    return Done({})


async def ask(step: Step, _: Any) -> Done | None:
    return None


def split(params: Mapping[str, Any]) -> dict[str, Any]:
    first, _, last = str(params["name"]).partition(" ")
    return {"first": first, "last": last}


def pure(name: str, params: type[msgspec.Struct] = Params, **facts: Any) -> NodeType:
    facts.setdefault("title", name.partition(".")[2])
    return NodeType(name=name, summary="", params=params, effect=Effect.PURE, do=do, **facts)


def outside(name: str, **facts: Any) -> NodeType:
    return NodeType(name, name.partition(".")[2], "", Params, Effect.OUTSIDE, call, **facts)


def kinds() -> dict[tuple[str, int], NodeType]:
    made = [
        pure("t.paid", Nothing, output=Ordered, trigger="order.paid", gives=Subject.ORDER),
        pure("t.hand", Params, trigger="manual", output_of=lambda _: {"type": "object"}),
        pure("t.note", output=Facts),
        pure("t.need", Needed),
        pure("t.any"),
        pure("t.shaped", output_of=lambda p: {"type": "object", "properties": {"body": {}}}),
        pure("t.bad_shape", output_of=lambda p: {}[1], ports_of=lambda p: tuple(sorted(p["ports"]))),
        pure("t.if", ports=("true", "false")),
        pure("t.switch", Cases, ports_of=lambda p: (*(f"case:{c}" for c in sorted(p["cases"])), "default")),
        pure("t.wait", Limit, ports=("out", "timeout")),
        pure("t.all", ports=("a", "b", "c"), forks=True),
        pure("t.stop", ports=()),
        pure("t.set", Variables, sets=lambda p: p["variables"]),
        pure("t.poll", Lazy, lazy=frozenset({"until"})),
        pure("t.order", needs=Subject.ORDER),
        pure("t.service", needs=Subject.SERVICE),
        pure("t.full", Full, version=2, upgrades={1: split}),
        pure("t.latest", version=3, upgrades={2: dict}),
        pure("logic.join", Mode, join=True),
        pure("logic.each", Items, ports=("each", "done"), container=True, lazy=frozenset({"collect"})),
        pure(
            "logic.repeat", Rounds, ports=("each", "done", "exhausted"), container=True,
            lazy=frozenset({"until"}), output=Last,
        ),
        outside("t.call", output=Facts),
        outside("t.probed", idempotency=Idempotency.PROBE, probe=ask),
    ]  # fmt: skip
    return {(kind.name, kind.version): kind for kind in made}


KINDS = kinds()


def flow(*edges: str, trigger: str = "t.paid", ui: Any = None, **nodes: Any) -> Document:
    """Make a flow that starts at `go`. A node is its type, or (type, parameters, more fields).

    Edges are written `go > a`, or `a.true > b` for a port other than `out`.
    """
    made = {"go": NodeSpec(type=trigger)}
    for name, said in nodes.items():
        kind, params, *more = said if isinstance(said, tuple) else (said, {})
        fields = {"type": kind, "with": params, **(more[0] if more else {})}
        made[name] = msgspec.convert(fields, NodeSpec)
    pairs = []
    for edge in edges:
        source, _, target = edge.partition(" > ")
        node, _, port = source.partition(".")
        pairs.append((f"{node}.{port or 'out'}", f"{target}.in"))
    return Document(flow="test", nodes=made, edges=tuple(pairs), ui=ui or {})


def line(**nodes: Any) -> Document:
    """Make a flow whose nodes follow one another."""
    names = ["go", *nodes]
    return flow(*(f"{a} > {b}" for a, b in itertools.pairwise(names)), **nodes)


def only(document: Document) -> Problem:
    """Return the one problem that there is."""
    (problem,) = problems_of(document)
    return problem
