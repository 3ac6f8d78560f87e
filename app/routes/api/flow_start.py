"""`/api/v1/flows/{flow}/runs`: start a flow."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID

from litestar import Response, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.accounts.scopes import Scope
from app.flows.by_hand import start_by_hand
from app.flows.node import Subject
from app.routes.api.flow_json import HIGHEST, Slug
from app.routes.api.needs import ETAG, needs
from app.routes.api.once import Asked
from app.routes.api.run_json import RunDetail
from app.routes.api.run_shown import by_of, shown


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run begins with."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "input": {"hostname": "web-1.example.net"},
        "subject": "01934a5e-2c7b-7f3a-9d2e-5b8c1f0a6e42",
        "subject_kind": "order",
    }

    input: Annotated[dict[str, Any], Meta(description="What the flow's `inputs` ask for.")] = {}
    subject: Annotated[UUID | None, Meta(description="What it is about, if anything.")] = None
    subject_kind: Annotated[Subject, Meta(description="What kind of thing that is.")] = (
        Subject.NOTHING
    )
    version: (
        Annotated[int, Meta(description="The latest if left out.", ge=1, le=HIGHEST)] | None
    ) = None


@post(
    "/flows/{slug:str}/runs",
    **needs(Scope.RUNS_WRITE, 409),
    response_headers=[ETAG],
    tags=["Runs"],
    operation_id="startFlow",
    summary="Start a flow",
    description="Queue a run of a flow. Its input is checked by the flow's `inputs`. With an "
    "`Idempotency-Key` it is started once, also after the 24 hours.",
)
async def start_a_flow(ask: Asked, slug: Slug, data: JSONBody[Start]) -> Response[RunDetail]:
    if (data.subject is None) != (data.subject_kind is Subject.NOTHING):
        raise Invalid({"subject_kind": "Give `subject` and its kind together, or neither."})

    async def deed(tx: Tx) -> RunDetail:
        run = await start_by_hand(
            tx,
            slug,
            data=data.input,
            dedup_key=f"api:{ask.caller.account.id}:{ask.key or new_id()}",
            subject=data.subject,
            subject_kind=data.subject_kind,
            number=data.version,
            by=by_of(ask.caller),
        )
        return await shown(tx, run)

    return await ask.once(deed, status=201)
