"""action.dns_record: create, replace or delete records on the provider's name servers."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.drivers.dns.contract import DnsServer, RecordSet, RecordType
from app.drivers.dns.records import BadRecord, absolute, record_set
from app.flows.intent import intended
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed

Deed = Literal["create", "replace", "delete"]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Annotated[
        str,
        Meta(
            title="Connection",
            description="The connection of kind dns that says which server takes the change.",
            examples=["ns1"],
            min_length=1,
            extra_json_schema={"x-connection": "dns"},
        ),
    ]
    action: Annotated[
        Deed,
        Meta(
            title="Action",
            description="create adds records where none of that name and type are; replace puts "
            "them in place of what there is; delete removes those named, or all.",
            examples=["create", "replace"],
        ),
    ] = "create"
    type: Annotated[
        RecordType,
        Meta(title="Type", description="A, AAAA, CNAME, PTR or TXT.", examples=["A", "PTR"]),
    ]
    name: Annotated[
        str,
        Meta(
            title="Name",
            description="The whole name. The name of a PTR may be given as an address.",
            examples=["${input.hostname}", "192.0.2.7"],
            min_length=1,
        ),
    ]
    values: Annotated[
        tuple[str, ...],
        Meta(
            title="Values",
            description="Addresses, names or texts. Only delete may go without.",
            examples=[["192.0.2.7"]],
        ),
    ] = ()
    ttl_s: Annotated[
        int,
        Meta(
            title="TTL",
            description="How many seconds others may keep it.",
            examples=[3600],
            ge=1,
            le=604_800,
        ),
    ] = 3_600


class Before(msgspec.Struct, frozen=True):
    """What there was of that name and type."""

    values: Annotated[tuple[str, ...], Meta(description="Its values.")]
    ttl_s: Annotated[int, Meta(description="Its TTL in seconds.")]


class Output(msgspec.Struct, frozen=True, kw_only=True):
    action: Annotated[Deed, Meta(description="What was done.")]
    connection: Annotated[str, Meta(description="By which connection.")]
    name: Annotated[str, Meta(description="The whole name, with the final dot.")]
    type: Annotated[RecordType, Meta(description="The records' type.")]
    values: Annotated[tuple[str, ...], Meta(description="The records' values.")]
    before: Annotated[
        Before | None,
        Meta(description="What was there when it was replaced or deleted; null for nothing."),
    ]


async def do(step: Step, params: Params) -> Done:
    """Idempotent: the records are made so, whether or not they were so before."""
    server = await step.tools.connections.get(step, params.connection, DnsServer)
    dns = step.tools.peers.dns
    try:
        name = absolute(params.name, params.type)
        if params.action == "delete":
            before = await dns.delete(server, name, params.type, params.values)
            return Done(_output(params, name, params.values, before))
        records = record_set(params.name, params.type, params.values, params.ttl_s)
    except BadRecord as error:
        raise StepFailed(f"{error.field}: {error.reason}") from error
    before = None
    if params.action == "create":
        await dns.create(server, records)
    else:
        before = await dns.replace(server, records)
    output = _output(params, name, records.values, before)
    if _was_so(output):
        return Done(output)
    return Done(output, takes=(Resource("dns_record", f"{params.type} {name}"),))


def _output(params: Params, name: str, values: tuple[str, ...], before: RecordSet | None) -> Output:
    return Output(
        action=params.action,
        connection=params.connection,
        name=name,
        type=params.type,
        values=values,
        before=None if before is None else Before(before.values, before.ttl_s),
    )


def _was_so(output: Output) -> bool:
    """Say whether the step found its records there and so changed nothing."""
    return output.before is not None and set(output.before.values) == set(output.values)


async def undo(step: Step, output: Any) -> None:
    """Remove what the step created, and put back what it took the place of.

    Records that have been changed since are left alone. Of a step that nobody knows the outcome
    of, the records that it meant to create are removed if they are there just so.
    """
    done = await _unsure(step) if output is None else msgspec.convert(output, Output)
    if done is None:
        return
    server = await step.tools.connections.get(step, done.connection, DnsServer)
    dns = step.tools.peers.dns
    found = await dns.read(server, done.name, done.type)
    if done.action == "delete":
        if done.before is not None and found is None:
            await dns.replace(server, _records(done, done.before))
        return
    if found is None or set(found.values) != set(done.values) or _was_so(done):
        return
    if done.before is None:
        await dns.delete(server, done.name, done.type, done.values)
    else:
        await dns.replace(server, _records(done, done.before))


async def _unsure(step: Step) -> Output | None:
    """Return what the step was about to do; None when there is nothing to be undone of it."""
    params = await intended(step, Params)
    if params is None or params.action == "delete":
        return None
    try:
        records = record_set(params.name, params.type, params.values, params.ttl_s)
    except BadRecord:
        return None
    return _output(params, records.name, records.values, None)


def _records(done: Output, before: Before) -> RecordSet:
    return record_set(done.name, done.type, before.values, before.ttl_s)


def says(params: Params) -> str:
    deed = {"create": "Creates", "replace": "Replaces", "delete": "Deletes"}[params.action]
    values = ", ".join(params.values)[:150]
    return f"{deed} {params.type} {params.name[:100]} {values}".strip().replace("\n", " ")


node = NodeType(
    name="action.dns_record",
    title="DNS record",
    summary="Creates, replaces or deletes records on the provider's name servers.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    takes=("dns_record",),
    says=says,
    docs="""
Changes records by signed dynamic updates (RFC 2136), which Knot, BIND, PowerDNS and Windows take.
The server, its zones and the key are a connection of kind dns.

```json
{
  "connection": "ns1",
  "action": "replace",
  "type": "PTR",
  "name": "${steps.addresses.ipv4}",
  "values": ["${input.hostname}"],
  "ttl_s": 3600
}
```

`create` refuses where other records of that name and type are; `replace` takes their place and
says in `before` what there was. Afterwards the server is asked whether it followed.

When the run is undone, what was created is removed and what was replaced or deleted is put back,
unless someone has changed it since.
""",
)
