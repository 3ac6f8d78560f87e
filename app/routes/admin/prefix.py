"""`/admin/prefixes/{id}`: one prefix with its map, and what is done to it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.address_space import PREFIXES, prefix_href
from app.components.admin.prefix import JUMP, PrefixFile, prefix_page, prefix_region
from app.components.admin.prefix_form import change_prefix_page, divide_page
from app.components.choice import Option
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.addresses.change import change_prefix
from app.domain.addresses.divide import MOST, merge_prefixes, split_prefix
from app.domain.addresses.errors import CannotDivide, InUse, PrefixOverlaps
from app.domain.addresses.find import find_prefix, leaves_in
from app.domain.addresses.keep import reservations_in
from app.domain.addresses.map import address_map
from app.domain.addresses.remove import remove_prefix
from app.domain.addresses.reserved import ends_of
from app.domain.addresses.seeds import prefix_seed
from app.domain.addresses.tree import covered_of, parts_of
from app.domain.addresses.views import PrefixView
from app.domain.audit.find import trail
from app.routes.admin.prefixes import CHANGES, choices_of, refused
from app.routes.admin.space_typed import Entries, prefix_of, values_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

ADDRESS_BITS = {4: 32, 6: 64}
SHORTEST = {4: 8, 6: 16}
SPLITTING = (
    "It becomes a container of equal prefixes with its settings. Claims, reservations and the "
    "gateway go to the part that they lie in."
)
MERGING = (
    "All prefixes in the larger network become one. They have to fill it, and to have the same "
    "settings. Claims and reservations come along."
)
WIDEST_MERGE = MOST.bit_length() - 1


class OnePrefix(Controller):
    """A prefix, for the staff."""

    path = f"{PREFIXES}/{{prefix_id:uuid}}"
    guards = (requires(Permission.ADDRESSES_READ),)
    include_in_schema = False

    @get()
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, prefix_id: FromPath[UUID]
    ) -> Response[Any]:
        """Show it; asked for an address, lead to where that is on the map."""
        asked = request.query_params.get(JUMP, "").strip()
        async with db.snapshot() as tx:
            jump = Form(values={JUMP: asked})
            if asked:
                network = (await find_prefix(tx, prefix_id)).network
                try:
                    position, _ = ends_of(network, asked, field=JUMP)
                except Invalid as invalid:
                    jump = Form(values={JUMP: asked}, errors=invalid.fields)
                else:
                    return go(request, prefix_href(prefix_id, at=str(position)) + "#cells")
            file = await _file(tx, prefix_id, me, at=_at(request), jump=jump)
        return html(prefix_page(file, frame=frame), status_code=422 if jump.errors else 200)

    @get("/now")
    async def refresh(
        self, request: HttpRequest, db: Db, me: Me, prefix_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await _file(tx, prefix_id, me, at=_at(request))
        return html(prefix_region(file))

    @get("/change", guards=CHANGES)
    async def ask_change(self, db: Db, frame: Frame, prefix_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            values = values_of(await prefix_seed(tx, prefix_id))
        form = Form(values=values, csrf=frame.csrf)
        return await _change_page(db, prefix_id, form, frame)

    @post("/change", guards=CHANGES, status_code=200)
    async def change(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, prefix_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                known = await prefix_seed(tx, prefix_id)
                wanted = prefix_of(values, network=known.network, vrf=known.vrf)
                await change_prefix(tx, prefix_id, wanted, actor=me.id, actor_label=me.email)
        except (Invalid, PrefixOverlaps, InUse, CannotDivide) as refusal:
            form = refused(refusal, values, frame.csrf)
            return await _change_page(db, prefix_id, form, frame, status=422)
        return go(request, prefix_href(prefix_id), Flash("success", "The prefix is changed."))

    @get("/split", guards=CHANGES)
    async def ask_split(self, db: Db, frame: Frame, prefix_id: FromPath[UUID]) -> Response[Any]:
        return await _divide_page(db, prefix_id, "split", Form(csrf=frame.csrf), frame)

    @post("/split", guards=CHANGES, status_code=200)
    async def split(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, prefix_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                parts = await split_prefix(
                    tx, prefix_id, _length(values), actor=me.id, actor_label=me.email
                )
        except (Invalid, CannotDivide, InUse) as refusal:
            form = refused(refusal, values, frame.csrf)
            return await _divide_page(db, prefix_id, "split", form, frame, status=422)
        told = Flash("success", f"It is a container of {len(parts)} prefixes now.")
        return go(request, prefix_href(prefix_id), told)

    @get("/merge", guards=CHANGES)
    async def ask_merge(self, db: Db, frame: Frame, prefix_id: FromPath[UUID]) -> Response[Any]:
        return await _divide_page(db, prefix_id, "merge", Form(csrf=frame.csrf), frame)

    @post("/merge", guards=CHANGES, status_code=200)
    async def merge(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, prefix_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                parts = await leaves_in(tx, prefix_id, _length(values))
                made = await merge_prefixes(tx, parts, actor=me.id, actor_label=me.email)
        except (Invalid, CannotDivide, InUse, PrefixOverlaps) as refusal:
            form = refused(refusal, values, frame.csrf)
            return await _divide_page(db, prefix_id, "merge", form, frame, status=422)
        told = Flash("success", f"{len(parts)} prefixes are one now; their claims came along.")
        return go(request, prefix_href(made), told)

    @post("/remove", guards=CHANGES, status_code=200)
    async def remove(
        self, request: HttpRequest, db: Db, me: Me, prefix_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                await remove_prefix(tx, prefix_id, actor=me.id, actor_label=me.email)
        except CannotDivide as refusal:
            return go(request, prefix_href(prefix_id), Flash("warning", refusal.message))
        return go(request, PREFIXES, Flash("success", "The prefix is removed."))


def _at(request: HttpRequest) -> int | None:
    at = request.query_params.get("at", "")
    return int(at) if at.isascii() and at.isdecimal() and len(at) < 20 else None


def _length(values: dict[str, str]) -> int:
    entries = Entries(values)
    length = entries.number("length", low=1, high=64)
    entries.require_all()
    return length


async def _file(
    tx: Tx, prefix_id: UUID, me: AccountView, *, at: int | None, jump: Form | None = None
) -> PrefixFile:
    prefix = await find_prefix(tx, prefix_id)
    sees_trail = allows(me.role, Permission.AUDIT_READ)
    parts = await parts_of(tx, prefix) if prefix.is_container else ()
    return PrefixFile(
        prefix=prefix,
        shown=None if prefix.is_container else await address_map(tx, prefix, at=at),
        parts=parts,
        covered=covered_of(prefix, parts),
        reservations=await reservations_in(tx, prefix_id),
        trail=await trail(tx, [prefix_id], limit=20) if sees_trail else None,
        may_change=allows(me.role, Permission.ADDRESSES_CHANGE),
        jump=jump or Form(),
    )


async def _change_page(
    db: Database, prefix_id: UUID, form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        prefix = await find_prefix(tx, prefix_id)
        choices = await choices_of(tx)
    return html(change_prefix_page(prefix, form, choices, frame=frame), status_code=status)


async def _divide_page(
    db: Database, prefix_id: UUID, deed: str, form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        prefix = await find_prefix(tx, prefix_id)
    title, about, lengths = _division(prefix, deed)
    page = divide_page(prefix, title, about, lengths, form, deed=deed, frame=frame)
    return html(page, status_code=status)


def _division(prefix: PrefixView, deed: str) -> tuple[str, str, list[Option]]:
    """Return title, words and the lengths that can be chosen."""
    network = prefix.network
    own, bits = network.prefixlen, ADDRESS_BITS[network.version]
    if deed == "split":
        parts = [
            Option(value=str(length), label=f"{1 << (length - own)} × /{length}")
            for length in range(own + 1, min(own + WIDEST_MERGE, bits) + 1)
        ]
        return f"Split {network}", SPLITTING, parts
    wholes = [
        Option(value=str(length), label=str(network.supernet(new_prefix=length)))
        for length in range(own - 1, max(own - WIDEST_MERGE, SHORTEST[network.version]) - 1, -1)
    ]
    return f"Merge {network}", MERGING, wholes
