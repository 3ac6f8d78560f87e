"""`/api/v1`: why orders have their servers, who waits, and what could still be sold."""

from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.inventory.find_match import find_match
from app.domain.orders.choose_server import choose_server
from app.domain.orders.explain import explain_order
from app.domain.orders.find_backlog import last_served, waiting_lines
from app.domain.orders.outlook import outlooks
from app.domain.orders.what_if import MOST, sell
from app.routes.api.allocation_json import (
    AllocationDetail,
    BacklogDetail,
    Choice,
    ChosenServer,
    MatchAnswer,
    MatchRequest,
    OrderId,
    ProductSlug,
    StockList,
    WhatIfAnswer,
    allocation_detail,
    rule_figures,
    served_line,
    stock_line,
    waiting_line,
    what_if_answer,
)
from app.routes.api.answer import answer
from app.routes.api.listing import USUAL, Limit
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.terms import account_id
from app.routes.security.dependencies import Db

TAGS = ["Allocation"]


@get(
    "/orders/{order_id:uuid}/allocation",
    **needs(Scope.ALLOCATION_READ),
    tags=TAGS,
    operation_id="explainAllocation",
    summary="Explain an order's server",
    description="Each candidate against each rule, why the best one is the best, and the smallest "
    "relaxations that would admit more. At most 50 candidates are told; ask for any other one.",
)
async def explain_allocation(
    db: Db,
    order_id: OrderId,
    server: Annotated[
        str, QueryParameter(description="Name or id of a server of which to say why not.")
    ] = "",
) -> Response[AllocationDetail]:
    async with db.snapshot() as tx:
        told = await explain_order(tx, order_id, server=server)
    return answer(allocation_detail(told))


@post(
    "/orders/{order_id:uuid}/allocation",
    **needs(Scope.ALLOCATION_WRITE, 409),
    tags=TAGS,
    status_code=200,
    operation_id="chooseServer",
    summary="Give an order another server",
    description="Give an order a free server of your choice, whether it fits or not; audited with "
    "the rules that it fails. Refused once a server is being set up for it.",
)
async def choose_a_server(
    ask: Asked, order_id: OrderId, data: JSONBody[Choice]
) -> Response[ChosenServer]:
    async def deed(tx: Tx) -> ChosenServer:
        chosen = await choose_server(
            tx,
            order_id,
            data.server,
            actor=ask.caller.account.id,
            actor_label=ask.caller.label,
            reason=data.reason,
        )
        return ChosenServer(id=chosen.server, name=chosen.name, fails=chosen.fails)

    return await ask.once(deed)


@get(
    "/stock",
    **needs(Scope.ALLOCATION_READ),
    tags=TAGS,
    operation_id="listStock",
    summary="List stock and its runway",
    description="How much of each product could be delivered now, and how long servers and IPv4 "
    "addresses last at the pace of the last twelve weeks.",
)
async def list_stock(db: Db) -> Response[StockList]:
    async with db.snapshot() as tx:
        found = await outlooks(tx)
    return answer(StockList(tuple(map(stock_line, found))))


@get(
    "/products/{slug:str}/what-if",
    **needs(Scope.ALLOCATION_READ),
    tags=TAGS,
    operation_id="whatIf",
    summary="Ask whether more can be sold",
    description="Whether so many more of a product can be delivered beside all orders that wait, "
    "and what binds.",
)
async def what_if(
    db: Db,
    slug: ProductSlug,
    number: Annotated[int, QueryParameter(description="How many more.", ge=1, le=MOST)],
    client: Annotated[
        str,
        QueryParameter(
            description="E-mail address or id of an account: all are for that client, and what a "
            "rack admits of one client counts.",
            max_length=320,
        ),
    ] = "",
) -> Response[WhatIfAnswer]:
    async with db.snapshot() as tx:
        buyer = await account_id(tx, client) if client else None
        told = await sell(tx, slug, number, client=buyer)
    return answer(what_if_answer(told))


@get(
    "/backlog",
    **needs(Scope.ALLOCATION_READ),
    tags=TAGS,
    operation_id="showBacklog",
    summary="Show who waits for a server",
    description="Paid orders without a server, the higher priorities first, and what came of the "
    "last times that stock appeared.",
)
async def show_backlog(db: Db, limit: Limit = USUAL) -> Response[BacklogDetail]:
    async with db.snapshot() as tx:
        waiting, served = await waiting_lines(tx, limit=limit), await last_served(tx)
    return answer(
        BacklogDetail(
            waiting=tuple(map(waiting_line, waiting)), served=tuple(map(served_line, served))
        )
    )


@post(
    "/server-matches",
    **needs(Scope.ALLOCATION_READ),
    tags=TAGS,
    status_code=200,
    operation_id="matchServers",
    summary="Match a wish to the stock",
    description="The free servers that serve a wish, the best first, and what each rule keeps out; "
    "nothing is held. What the racks have left is looked at, nobody's machines are counted.",
)
async def match_servers(db: Db, data: JSONBody[MatchRequest]) -> Response[MatchAnswer]:
    async with db.snapshot() as tx:
        found = await find_match(tx, data.want, seed=data.seed)
    return answer(
        MatchAnswer(
            chosen=found.chosen,
            ranked=found.ranked,
            total=found.explanation.total,
            eligible=found.explanation.eligible,
            rules=rule_figures(found.explanation),
        )
    )


ALLOCATION: tuple[ControllerRouterHandler, ...] = (
    explain_allocation,
    choose_a_server,
    list_stock,
    what_if,
    show_backlog,
    match_servers,
)
