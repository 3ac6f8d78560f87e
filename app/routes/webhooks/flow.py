"""`/hooks/{path}`: calls from outside that start a flow."""

from uuid import UUID

import msgspec
import structlog
from litestar import Controller, HttpMethod, Response, route

from app.core.errors import NotFound, Refusal
from app.flows.nodes.webhook import HOOKS
from app.flows.triggers.hook import Call, Hook, deliver, find_hook, require_signed
from app.flows.triggers.hook_secret import secret_of
from app.flows.triggers.signature import NotSigned
from app.routes.security.dependencies import Db, HttpRequest, Sealing
from app.routes.security.rate_limit import WEBHOOK, Limit, count_towards, limited
from app.routes.security.visit import address_of

MAX_BODY_BYTES = 1024 * 1024
METHODS = [
    HttpMethod.POST,
    HttpMethod.PUT,
    HttpMethod.PATCH,
    HttpMethod.DELETE,
    HttpMethod.GET,
]

log = structlog.get_logger(__name__)


class CallRefused(Refusal):
    """Why is in the log, and not for who calls."""

    code = "hooks.not_signed"
    challenge = "Bearer"

    def __init__(self) -> None:
        super().__init__("The call does not show the token or signature that this address needs.")


class Started(msgspec.Struct, frozen=True):
    """The run that the call started, or that the same call started before."""

    run: UUID


class FlowWebhook(Controller):
    """Another system calls without a session; its token or signature is what it shows instead."""

    path = HOOKS
    include_in_schema = False

    @route(
        "/{hook:path}",
        http_method=METHODS,
        guards=[limited(WEBHOOK)],
        status_code=202,
        request_max_body_size=MAX_BODY_BYTES,
    )
    async def receive(self, request: HttpRequest, db: Db, vault: Sealing) -> Response[Started]:
        """Start the flow that listens at the path and answer 202 with its run at once.

        404 for a path that nothing listens at, whatever the reason; 401 for a call that is not
        signed as it should be; 422 for an input that the flow does not take.
        """
        path = request.scope["path"].removeprefix(HOOKS)
        async with db.snapshot() as tx:
            hook = await find_hook(tx, path, request.method)
            secret = ""
            if hook is not None and hook.params.auth != "none":
                secret = await secret_of(tx, vault, hook.params.connection)
        if hook is None:
            raise NotFound("page", request.scope["path"])
        call = Call(
            method=request.method,
            path=path,
            query=request.scope["query_string"].decode("latin-1"),
            headers=dict(request.headers),
            raw=await request.body(),
        )
        if hook.params.auth != "none":
            try:
                require_signed(hook, call, secret, now=db.clock.now())
            except NotSigned as error:
                _log(request, hook, refused=str(error))
                raise CallRefused from error
        # Counted only now: who cannot sign does not use up what the sender may.
        await count_towards(Limit("hook", hook.params.per_minute), request, who=f"hook:{hook.flow}")
        async with db.transaction() as tx:
            run = await deliver(tx, hook, call)
        _log(request, hook, run=str(run))
        return Response(Started(run), status_code=202)


def _log(request: HttpRequest, hook: Hook, **facts: str) -> None:
    log.info("hook called", flow=hook.slug, address=address_of(request), **facts)
