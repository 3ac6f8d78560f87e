"""`/admin/addresses`: search, one address with its history, claims by hand."""

from datetime import UTC, datetime, time
from ipaddress import IPv4Address, IPv6Address, ip_interface
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from msgspec.structs import replace

from app.components.admin.address import (
    DAY,
    AddressFile,
    address_page,
    address_region,
    change_claim_page,
    claim_href,
    claim_page,
    release_page,
)
from app.components.admin.address_space import ADDRESSES, address_href
from app.components.admin.addresses import STATE, addresses_list, addresses_page
from app.components.admin.decide import REASON
from app.components.admin.filters import Wanted
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.addresses.by_hand import claim_address
from app.domain.addresses.change_by_hand import change_by_hand
from app.domain.addresses.clients import ClientSpace, clients_called, spaces_of
from app.domain.addresses.errors import AddressesTaken, NotByHand
from app.domain.addresses.find import leaf_of, list_vrfs
from app.domain.addresses.history import history_of, network_around, vrfs_with_history
from app.domain.addresses.leaves import free_texts
from app.domain.addresses.names import names_in
from app.domain.addresses.release_by_hand import release_by_hand
from app.domain.addresses.search import find_claim, search_claims, standings_of
from app.domain.addresses.states import ClaimState
from app.domain.addresses.views import ClaimPage
from app.routes.admin.prefixes import CHANGES, refused
from app.routes.admin.query import wanted_of
from app.routes.admin.reasons import reason_of
from app.routes.admin.space_typed import day_of, terms_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


class Addresses(Controller):
    """Who has what, and who had it, for the staff."""

    path = ADDRESSES
    guards = (requires(Permission.ADDRESSES_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, ADDRESSES, (), [STATE])
        if (address := _address(wanted.search)) is not None:
            return go(request, address_href(str(address)))
        async with db.snapshot() as tx:
            found, spaces = await _search(tx, wanted)
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        return html(addresses_page(found, spaces, wanted, may_change=may_change, frame=frame))

    @get("/rows")
    async def refresh_list(self, request: HttpRequest, db: Db) -> Response[Any]:
        wanted = wanted_of(request, ADDRESSES, (), [STATE])
        async with db.snapshot() as tx:
            found, spaces = await _search(tx, wanted)
        return html(addresses_list(found, spaces, wanted))

    @get("/new", guards=CHANGES)
    async def begin(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        """Show the form; asked for a `prefix`, with the lowest free address of it."""
        query = request.query_params
        values = {name: query.get(name, "") for name in ("address", "vrf")}
        async with db.snapshot() as tx:
            if prefix := _uuid(query.get("prefix", "")):
                leaf, free = await free_texts(tx, prefix, 1)
                values["address"], values["vrf"] = "".join(free), leaf.vrf
            vrfs = await list_vrfs(tx)
        return html(claim_page(Form(values=values, csrf=frame.csrf), vrfs, frame=frame))

    @post("/new", guards=CHANGES, status_code=200)
    async def claim(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        what = values.get("address", "").strip()
        try:
            async with db.transaction() as tx:
                terms = await terms_of(tx, values)
                prefix = await leaf_of(tx, what, vrf=values.get("vrf", ""))
                texts = await claim_address(
                    tx, prefix, what, terms, actor=me.id, actor_label=me.email
                )
        except (Invalid, AddressesTaken) as refusal:
            async with db.snapshot() as tx:
                vrfs = await list_vrfs(tx)
            form = refused(refusal, values, frame.csrf)
            return html(claim_page(form, vrfs, frame=frame), status_code=422)
        several = f"{texts[0]} to {texts[-1]} are" if len(texts) > 1 else f"{texts[0]} is"
        return go(request, address_href(texts[0]), Flash("success", f"{several} claimed."))

    @get("/claims/{claim_id:int}/change", guards=CHANGES)
    async def ask_change(self, db: Db, frame: Frame, claim_id: FromPath[int]) -> Response[Any]:
        async with db.snapshot() as tx:
            claim = await find_claim(tx, claim_id)
        values = {
            REASON: claim.reason,
            "purpose": claim.purpose,
            "expires_at": claim.expires_at.date().isoformat() if claim.expires_at else "",
        }
        form = Form(values=values, csrf=frame.csrf)
        return html(change_claim_page(claim, form, frame=frame))

    @post("/claims/{claim_id:int}/change", guards=CHANGES, status_code=200)
    async def change(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, claim_id: FromPath[int]
    ) -> Response[Any]:
        values = await typed(request)
        async with db.snapshot() as tx:
            claim = await find_claim(tx, claim_id)
        try:
            async with db.transaction() as tx:
                terms = await terms_of(tx, values)
                if _is_same_day(terms.expires_at, claim.expires_at):
                    terms = replace(terms, expires_at=claim.expires_at)
                await change_by_hand(
                    tx,
                    claim_id,
                    terms,
                    seq=_seq(values),
                    actor=me.id,
                    actor_label=me.email,
                )
        except (Invalid, NotByHand) as refusal:
            form = refused(refusal, values, frame.csrf)
            return html(change_claim_page(claim, form, frame=frame), status_code=422)
        return go(request, claim_href(claim), Flash("success", f"{claim.text} is changed."))

    @get("/claims/{claim_id:int}/release", guards=CHANGES)
    async def ask_release(self, db: Db, frame: Frame, claim_id: FromPath[int]) -> Response[Any]:
        async with db.snapshot() as tx:
            claim = await find_claim(tx, claim_id)
        return html(release_page(claim, Form(csrf=frame.csrf), frame=frame))

    @post("/claims/{claim_id:int}/release", guards=CHANGES, status_code=200)
    async def release(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, claim_id: FromPath[int]
    ) -> Response[Any]:
        values = await typed(request)
        async with db.snapshot() as tx:
            claim = await find_claim(tx, claim_id)
        try:
            reason = reason_of(values)
            async with db.transaction() as tx:
                await release_by_hand(
                    tx,
                    claim_id,
                    seq=_seq(values),
                    reason=reason,
                    actor=me.id,
                    actor_label=me.email,
                )
        except (Invalid, NotByHand) as refusal:
            form = refused(refusal, values, frame.csrf)
            return html(release_page(claim, form, frame=frame), status_code=422)
        told = Flash("success", f"{claim.text} is released. It cools down first.")
        return go(request, claim_href(claim), told)

    @get("/{address:str}")
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, address: FromPath[str]
    ) -> Response[Any]:
        return html(address_page(await _file(request, db, me, address), frame=frame))

    @get("/{address:str}/now")
    async def refresh(
        self, request: HttpRequest, db: Db, me: Me, address: FromPath[str]
    ) -> Response[Any]:
        return html(address_region(await _file(request, db, me, address)))


def _is_same_day(typed_end: datetime | None, end: datetime | None) -> bool:
    """Return whether the form left the end as it was, which may be at any time of that day."""
    return typed_end is not None and end is not None and typed_end.date() == end.date()


def _seq(values: dict[str, str]) -> int:
    seq = values.get("seq", "")
    return int(seq) if seq.isascii() and seq.isdecimal() and len(seq) < 19 else -1


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_interface(text.strip()).ip
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _search(tx: Tx, wanted: Wanted) -> tuple[ClaimPage, tuple[ClientSpace, ...]]:
    """Return the claims that are wanted, and what the clients have who are searched for."""
    state = wanted.more[STATE]
    states = (ClaimState(state),) if state in set(ClaimState) else ()
    found = await search_claims(tx, wanted.search, states=states, page=wanted.page)
    clients = await clients_called(tx, wanted.search)
    return found, await spaces_of(tx, clients) if clients else ()


async def _file(request: HttpRequest, db: Database, me: AccountView, text: str) -> AddressFile:
    address = _address(text)
    if address is None:
        raise NotFound("address", text)
    day = day_of(request.query_params.get(DAY, ""))
    since = datetime.combine(day, time(), UTC) if day else EVER[0]
    until = datetime.combine(day, time.max, UTC) if day else EVER[1]
    async with db.snapshot() as tx:
        history = [
            (name, await history_of(tx, address, since=since, until=until, vrf=vrf))
            for vrf, name in await vrfs_with_history(tx, address)
        ]
        standings = await standings_of(tx, address)
        names = await names_in(tx, network_around(address))
    return AddressFile(
        text=standings[0].text if standings else str(address),
        standings=standings,
        history=tuple((name, tuple(reversed(tenures))) for name, tenures in history if tenures),
        day=day,
        names=names,
        may_change=allows(me.role, Permission.ADDRESSES_CHANGE),
    )
