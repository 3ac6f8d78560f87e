"""A small application with the edge, our own pages and a few that test it."""

from collections.abc import AsyncIterator, Callable

import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.di import Provide
from litestar.params import FromPath, FromQuery
from redis.asyncio import Redis

from app.components.page import portal_page
from app.core.database import Database
from app.core.errors import Conflict, Invalid, NotFound, Refusal
from app.core.secrets import CannotOpen, new_key
from app.domain.accounts.roles import Permission
from app.routes.portal.account import Account
from app.routes.portal.sign_in import SignIn, SignOut
from app.routes.portal.sign_up import SignUp
from app.routes.security.dependencies import Frame, Me
from app.routes.security.guards import requires, signed_in
from app.routes.security.html import html
from app.routes.security.plugin import SecurityPlugin
from app.routes.security.rate_limit import Limit, limited
from app.routes.security.visit import Edge
from app.settings import Settings
from tests.security.browser import Browser


class PoolDry(Refusal):
    code = "ipam.pool_dry"

    def __init__(self) -> None:
        super().__init__("Pool rack-7-secret has no free address.")


class MyOwnConflict(Conflict):
    code = "orders.taken"


REFUSALS: dict[str, Refusal] = {
    "not-found": NotFound("order", 7),
    "invalid": Invalid({"ram": "Choose at most 128 GB."}),
    "conflict": Conflict("It changed meanwhile."),
    "own-conflict": MyOwnConflict("Somebody else has it."),
    "plain": Refusal("No."),
    "pool": PoolDry(),
    "sealed": CannotOpen(),
}


@get("/")
async def home(frame: Frame) -> Response[str]:
    return html(portal_page("Home", frame=frame))


@get("/orders", guards=[signed_in])
async def orders(me: Me) -> str:
    return me.email


@post("/orders/new", guards=[signed_in], status_code=200)
async def new_order(me: Me) -> str:
    return me.email


@get("/admin", guards=[requires(Permission.ADMIN)])
async def admin(me: Me) -> str:
    return f"admin of {me.email}"


@get("/admin/invoices", guards=[requires(Permission.INVOICES_CHANGE)])
async def invoices() -> str:
    return "invoices"


@get(["/refuse/{what:str}", "/api/refuse/{what:str}"])
async def refuse(what: FromPath[str]) -> str:
    raise REFUSALS[what]


@get("/orders/refuse", guards=[signed_in])
async def refuse_order() -> str:
    raise PoolDry


@get(["/break", "/api/break"])
async def break_it() -> str:
    raise RuntimeError("password=hunter2 in some_table")


@get("/number")
async def number(n: FromQuery[int]) -> str:
    return str(n)


@post("/webhooks/test", status_code=200)
async def webhook(request: Request) -> str:
    return (await request.body()).decode()


@get("/costly", guards=[limited(Limit("costly", most=3, per_s=60))])
async def costly() -> str:
    return "done"


@get("/own-csp")
async def own_csp() -> Response[str]:
    return Response("x", headers={"Content-Security-Policy": "default-src 'none'"})


AppMaker = Callable[..., Litestar]


@pytest.fixture
def make_app(database: Database, redis: Redis) -> AppMaker:
    def make(**settings: str) -> Litestar:
        facts = {"base_url": "http://slipway.test", "company": "Acme Metal", "keys": new_key()}
        chosen = Settings(_env_file=None, **{**facts, **settings})
        return Litestar(
            [
                SignUp, SignIn, SignOut, Account, home, orders, new_order, admin, invoices,
                refuse, refuse_order, break_it, number, webhook, costly, own_csp,
            ],
            plugins=[SecurityPlugin(lambda: Edge(chosen, database, redis))],
            dependencies={"db": Provide(lambda: database, sync_to_thread=False)},
            openapi_config=None,
        )  # fmt: skip

    return make


@pytest.fixture
def app(make_app: AppMaker) -> Litestar:
    return make_app()


@pytest.fixture
async def browser(app: Litestar) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser
