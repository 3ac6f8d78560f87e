"""Allocation as the API tells it; what this says stays as it is across releases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.domain.orders.account_words import why_not, why_the_best
from app.domain.orders.explain import OrderAccount
from app.domain.orders.find_backlog import WaitingLine
from app.domain.orders.outlook import Outlook
from app.domain.orders.serve_backlog import Served
from app.domain.orders.what_if import Sellable
from app.routes.api.space_json import Why, same
from app.solver.explain import Explanation
from app.solver.want import ServerWant
from app.solver.what_if import Runway as Lasting

OrderId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the order.")]
ProductSlug: TypeAlias = Annotated[str, PathParameter(description="Slug of the product.")]


class Step(Struct, frozen=True, kw_only=True):
    """A smaller wish, and how many more servers it would admit."""

    text: str
    admits: int
    want: Annotated[ServerWant | None, Meta(description="The wish so changed, if it is one.")]


class RuleFigures(Struct, frozen=True, kw_only=True):
    """What one rule keeps out, and the smallest steps that let more in."""

    rule: str
    label: Annotated[str, Meta(description="In words: `At least 64 GB of memory`.")]
    eliminated: Annotated[int, Meta(description="Servers that fail it, whatever else they fail.")]
    eliminated_alone: Annotated[int, Meta(description="Servers that fail it and nothing else.")]
    steps: tuple[Step, ...]


class CandidateLine(Struct, frozen=True, kw_only=True):
    """A free server against all rules."""

    id: UUID
    name: str
    place: str
    failed: Annotated[tuple[str, ...], Meta(description="Rules that it fails; empty: it serves.")]
    scores: Annotated[
        dict[str, int] | None,
        Meta(description="By tier, lower is better, the first that differs decides."),
    ]


class AskedServer(Struct, frozen=True, kw_only=True):
    """Why the server that was asked about was not chosen."""

    id: UUID
    name: str
    is_free: bool
    failed: Annotated[tuple[str, ...], Meta(description="What it fails, in words.")]
    says: Annotated[str, Meta(description="In a sentence; empty for the best one itself.")]


class AllocationDetail(Struct, frozen=True, kw_only=True):
    """Why an order has its server, or none: against the stock as it is now, its own among it."""

    order: UUID
    number: int
    has: Annotated[UUID | None, Meta(description="The server that it has.")]
    want: ServerWant
    chosen: Annotated[UUID | None, Meta(description="The best server now.")]
    says: Annotated[str, Meta(description="Why it is the best; empty where nothing serves.")]
    total: Annotated[int, Meta(description="Free servers.")]
    eligible: Annotated[int, Meta(description="Those that pass every rule.")]
    rules: tuple[RuleFigures, ...]
    pairs: Annotated[tuple[Step, ...], Meta(description="Steps in two rules at once.")]
    candidates: Annotated[
        tuple[CandidateLine, ...],
        Meta(description="The best, then those that fail least; at most 50."),
    ]
    left_off: Annotated[int, Meta(description="Free servers that are not told.")]
    asked: AskedServer | None


class Choice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server that an order is to get, whether it fits the rules or not."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"server": "ams1-a1-02", "reason": "asked for it"}

    server: Annotated[str, Meta(description="Name or id.", min_length=1, max_length=200)]
    reason: Why


class ChosenServer(Struct, frozen=True, kw_only=True):
    """The server that the order has now."""

    id: UUID
    name: str
    fails: Annotated[tuple[str, ...], Meta(description="Rules that it fails, in words.")]


class Runway(Struct, frozen=True, kw_only=True):
    """How long stock lasts, in days from the end of yesterday; null: for ever."""

    per_day: Annotated[float, Meta(description="Net sales in an ordinary week, a day.")]
    days: float | None
    earliest_days: Annotated[float | None, Meta(description="At the pace of a good week.")]
    latest_days: Annotated[float | None, Meta(description="At the pace of a poor week.")]


class StockLine(Struct, frozen=True, kw_only=True):
    """The stock of a product, as if it alone were sold."""

    product: Annotated[str, Meta(description="Slug.")]
    name: str
    servers: int
    servers_last: Annotated[Runway | None, Meta(description="null: not two weeks of sales yet.")]
    ip4: Annotated[int, Meta(description="Free IPv4 addresses of the role that it takes.")]
    ip4_last: Runway | None
    sold: Annotated[tuple[int, ...], Meta(description="Net sales of each day, the latest last.")]


class StockList(Struct, frozen=True):
    """The stock of every product."""

    items: tuple[StockLine, ...]


class WhatIfAnswer(Struct, frozen=True, kw_only=True):
    """Whether so many more of a product can be delivered beside all that wait."""

    product: str
    asked: int
    possible: int
    most: Annotated[int, Meta(description="No plan can deliver more, of servers.")]
    binds: Annotated[
        tuple[str, ...],
        Meta(
            description="What would have to give: `stock`, `racks`, `waiting`, `addresses`, `room`."
        ),
    ]
    ip4: Annotated[int, Meta(description="Free IPv4 addresses of the role that it takes.")]
    steps: tuple[Step, ...]


class WaitingOrderLine(Struct, frozen=True, kw_only=True):
    """An order that is paid and waits for a server."""

    id: UUID
    number: int
    product: str
    hostname: str
    paid_at: datetime | None
    priority: int
    passed: Annotated[int, Meta(description="How often others were served while it waited.")]


class ServedLine(Struct, frozen=True, kw_only=True):
    """What came of serving all who waited, once."""

    at: datetime
    waiting: int
    placed: int
    bound: Annotated[int, Meta(description="No plan could have placed more.")]
    gap: Annotated[float, Meta(description="(bound - placed) / bound.")]
    is_proven: Annotated[bool, Meta(description="Whether no choice of servers suits better.")]
    took_ms: int


class BacklogDetail(Struct, frozen=True, kw_only=True):
    """Who waits, and what came of the last times that stock appeared, the latest first."""

    waiting: tuple[WaitingOrderLine, ...]
    served: tuple[ServedLine, ...]


class MatchRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a server is asked for."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "want": {"min_cores": 8, "ram_gb": 64, "storage": [{"kind": "nvme", "count": 2}]}
    }

    want: ServerWant
    seed: Annotated[int, Meta(description="Chooses among equal servers.", ge=0, le=2**31 - 1)] = 0


class MatchAnswer(Struct, frozen=True, kw_only=True):
    """The free servers that serve, and what each rule keeps out."""

    chosen: UUID | None
    ranked: Annotated[tuple[UUID, ...], Meta(description="The best first, at most 32.")]
    total: Annotated[int, Meta(description="Free servers.")]
    eligible: Annotated[int, Meta(description="Those that pass every rule.")]
    rules: tuple[RuleFigures, ...]


def allocation_detail(told: OrderAccount) -> AllocationDetail:
    account = told.account
    asked = account.asked
    return AllocationDetail(
        order=told.order,
        number=told.number,
        has=told.has,
        want=told.want,
        chosen=account.chosen,
        says=why_the_best(told) or "",
        total=account.explanation.total,
        eligible=account.explanation.eligible,
        rules=rule_figures(account.explanation),
        pairs=tuple(Step(text=one.text, admits=one.admits, want=one.want) for one in account.pairs),
        candidates=tuple(
            CandidateLine(
                id=one.server,
                name=told.names[one.server],
                place=told.places[one.server],
                failed=one.failed,
                scores=one.scores,
            )
            for one in account.candidates
        ),
        left_off=account.left_off,
        asked=None
        if asked is None
        else AskedServer(
            id=asked.server,
            name=told.names[asked.server],
            is_free=asked.is_free,
            failed=asked.failed,
            says=why_not(told) or "",
        ),
    )


def rule_figures(explanation: Explanation) -> tuple[RuleFigures, ...]:
    return tuple(
        RuleFigures(
            rule=rule.rule,
            label=rule.label,
            eliminated=rule.eliminated,
            eliminated_alone=rule.eliminated_alone,
            steps=tuple(
                Step(text=one.text, admits=one.admits, want=one.want)
                for one in explanation.relaxations
                if one.rule == rule.rule
            ),
        )
        for rule in explanation.rules
    )


def stock_line(one: Outlook) -> StockLine:
    return StockLine(
        product=one.slug,
        name=one.name,
        servers=one.servers,
        servers_last=_runway(one.servers_last),
        ip4=one.ip4,
        ip4_last=_runway(one.ip4_last),
        sold=one.sold,
    )


def _runway(one: Lasting | None) -> Runway | None:
    return None if one is None else Runway(**same(one, Runway.__struct_fields__))


def what_if_answer(told: Sellable) -> WhatIfAnswer:
    return WhatIfAnswer(
        product=told.product,
        asked=told.asked,
        possible=told.possible,
        most=told.servers.most,
        binds=told.binds,
        ip4=told.ip4,
        steps=tuple(
            Step(text=one.text, admits=one.admits, want=one.want)
            for one in told.servers.relaxations
        ),
    )


def waiting_line(one: WaitingLine) -> WaitingOrderLine:
    return WaitingOrderLine(**same(one, WaitingOrderLine.__struct_fields__))


def served_line(one: Served) -> ServedLine:
    return ServedLine(**same(one, ServedLine.__struct_fields__))
