"""A webhook's call: which flow it starts, whether it may, and whether it came before."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.flows.document import duration
from app.flows.nodes.webhook import Output, Params
from app.flows.redact import redacted
from app.flows.start import start_flow
from app.flows.triggers.body import fields_of, read_body, together
from app.flows.triggers.signature import secret_headers, verify

KEPT = timedelta(days=30)
"""How long deliveries are kept."""


class Hook(msgspec.Struct, frozen=True):
    """A path that is listened to."""

    flow: UUID
    slug: str
    params: Params


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What came. Names of `headers` are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw: bytes


async def find_hook(tx: Tx, path: str, method: str) -> Hook | None:
    """Return the enabled flow that is called there with this method; None if there is none."""
    row = await tx.fetchrow(
        "SELECT t.flow, f.slug, t.config FROM flow_trigger t JOIN flow f ON f.id = t.flow "
        "WHERE t.kind = 'webhook' AND t.key = $1 AND f.is_enabled",
        path,
    )
    if row is None:
        return None
    params = msgspec.json.decode(row["config"], type=Params)
    return Hook(row["flow"], row["slug"], params) if method in params.methods else None


def require_signed(hook: Hook, call: Call, secret: str, *, now: datetime) -> None:
    """Raise NotSigned unless the call is one of who knows the connection's secret."""
    verify(hook.params, secret, headers=call.headers, body=call.raw, now=now)


async def deliver(tx: Tx, hook: Hook, call: Call) -> UUID:
    """Return the run that a call started: this one, or the same one before.

    The same is what has the sender's id again, however long ago, and what is the same to the
    last byte within the hook's window where the sender has no id, or one that is not signed
    together with the rest. Raises BadBody, BadInput and FlowDisabled. Four statements.
    """
    data = _data(hook, call)
    delivery = _delivery(hook.params, call, data["body"])
    digest = _digest(call)
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"hook:{hook.flow}:{digest.hex()}"
    )
    window = duration(hook.params.window)
    replayable = not delivery or _is_unsigned(hook.params)
    before: UUID | None = await tx.fetchval(
        "SELECT run FROM hook_delivery WHERE flow = $1 AND (delivery <> '' AND delivery = $2 "
        "OR $5 AND digest = $3 AND at > $4) ORDER BY at DESC LIMIT 1",
        hook.flow,
        delivery,
        digest,
        tx.now() - window,
        replayable,
    )
    if before is not None:
        return before
    run = await start_flow(
        tx,
        hook.flow,
        data=data,
        dedup_key=f"hook:{hook.flow}:{delivery or new_id()}",
        event="webhook",
    )
    await tx.execute(
        "INSERT INTO hook_delivery (id, flow, delivery, digest, run, at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        new_id(),
        hook.flow,
        delivery,
        digest,
        run,
        tx.now(),
    )
    return run


async def forget_deliveries(tx: Tx) -> None:
    """Delete what was delivered long ago; a run's key still knows the sender's id of it."""
    await tx.execute("DELETE FROM hook_delivery WHERE at < $1", tx.now() - KEPT)


def _data(hook: Hook, call: Call) -> dict[str, Any]:
    hidden = secret_headers(hook.params)
    output = Output(
        method=call.method,
        path=call.path,
        query=redacted(together(fields_of(call.query))),
        headers=redacted({name: text for name, text in call.headers.items() if name not in hidden}),
        body=read_body(call.raw, call.headers.get("content-type", "")),
    )
    return msgspec.structs.asdict(output)


def _delivery(params: Params, call: Call, body: Any) -> str:
    """Return the sender's id of the delivery, hashed; "" where there is none."""
    found: Any = None
    if params.auth == "hmac" and params.scheme == "standard":
        found = call.headers.get("webhook-id")
    if params.delivery_header:
        found = call.headers.get(params.delivery_header.lower())
    if params.delivery_field and not found:
        found = _at(body, params.delivery_field)
    if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
        return ""
    return hashlib.sha256(str(found).encode()).hexdigest()


def _is_unsigned(params: Params) -> bool:
    """Say whether who has seen one signed call could send it again under another id."""
    return params.auth == "hmac" and bool(params.delivery_header)


def _at(body: Any, path: str) -> Any:
    """Return what is at `$.event.id` or `items.0.id`; None where nothing is."""
    for step in path.removeprefix("$.").split("."):
        if isinstance(body, dict):
            body = body.get(step)
        elif isinstance(body, list) and step.isdecimal() and int(step) < len(body):
            body = body[int(step)]
        else:
            return None
    return body


def _digest(call: Call) -> bytes:
    """Return a hash of all that tells one call from another."""
    head = "\n".join((call.method, call.path, call.query, call.headers.get("content-type", "")))
    return hashlib.sha256(head.encode(errors="replace") + b"\n\n" + call.raw).digest()
