"""`/admin/nodes/adopt`: a node that a cloud has becomes a server of ours."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.node_adopt import ADOPT, adopt_page, strays_page
from app.components.admin.node_errand import ERRANDS
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid, NotFound, Refusal
from app.domain.metal.ask import ask_adopt, clouds
from app.domain.metal.look import LOOK_S, Seen, look, look_at
from app.domain.metal.propose import Stray
from app.drivers.errors import DriverError
from app.drivers.metal.contract import NodeLost
from app.routes.admin.nodes_typed import read_adopt, read_server
from app.routes.admin.racks import CHANGES
from app.routes.security.dependencies import Calling, Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed

NAMES = ("connection", "server", "search")


class NodeAdopt(Controller):
    """The list asks the cloud itself: what is there now counts, not what was read a while ago."""

    path = ADOPT
    guards = CHANGES
    include_in_schema = False

    @get()
    async def list(
        self, request: HttpRequest, db: Db, vault: Sealing, peers: Calling, frame: Frame
    ) -> Response[Any]:
        query = {name: request.query_params.get(name, "").replace("\0", "") for name in NAMES}
        async with db.snapshot() as tx:
            known = await clouds(tx)
        at = query["connection"] or (known[0] if len(known) == 1 else "")
        seen, fault = Seen((), 0), ""
        if at in known:
            try:
                seen = await look(db, vault, peers, at, search=query["search"])
            except TimeoutError:
                fault = f"It gave no answer within {LOOK_S:g} s."
            except DriverError as error:
                fault = error.message
        elif at:
            raise NotFound("cloud", at)
        page = strays_page(
            known, at, seen.strays, fault=fault, total=seen.total, form=Form(values=query),
            frame=frame,
        )  # fmt: skip
        return html(page)

    @get("/{node_id:str}")
    async def ask(
        self,
        *,
        request: HttpRequest,
        db: Db,
        vault: Sealing,
        peers: Calling,
        frame: Frame,
        node_id: FromPath[str],
    ) -> Response[Any]:
        at = request.query_params.get("connection", "")
        server = request.query_params.get("server", "").replace("\0", "")
        found = await _look(db, vault, peers, at, node_id)
        if isinstance(found, Flash):
            return go(request, ADOPT, found)
        form = Form(values={"server": server, "how": "link"}, csrf=frame.csrf)
        return html(adopt_page(at, found, form, frame=frame))

    @post("/{node_id:str}", status_code=200)
    async def adopt(
        self,
        *,
        request: HttpRequest,
        db: Db,
        me: Me,
        vault: Sealing,
        peers: Calling,
        frame: Frame,
        node_id: FromPath[str],
    ) -> Response[Any]:
        values = await typed(request)
        at = values.get("connection", "")
        try:
            async with db.transaction() as tx:
                server = await read_server(tx, values)
                want = read_adopt(values, node_id)
                errand = await ask_adopt(tx, server, at, want, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            errors, status = invalid.fields, 422
        except Refusal as refusal:
            errors, status = {"": refusal.message}, 409
        else:
            return go(request, f"{ERRANDS}/{errand}", Flash("info", f"{at} is being asked."))
        found = await _look(db, vault, peers, at, node_id)
        if isinstance(found, Flash):
            return go(request, ADOPT, found)
        form = Form(values=values, errors=errors, csrf=frame.csrf)
        return html(adopt_page(at, found, form, frame=frame), status_code=status)


async def _look(db: Db, vault: Sealing, peers: Calling, at: str, node: str) -> Stray | Flash:
    """Return the node, or why the cloud says nothing of it. Raises NotFound."""
    try:
        return await look_at(db, vault, peers, at, node)
    except NodeLost as error:
        raise NotFound("node", node) from error
    except TimeoutError:
        return Flash("danger", f"{at} gave no answer within {LOOK_S:g} s.")
    except DriverError as error:
        return Flash("danger", error.message)
