"""What listens: written down when a flow is published, read by the editor and the flows page."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.flows import expressions
from app.flows.document import Document, NodeSpec
from app.flows.inputs import BadInput, Inputs, schema_problems
from app.flows.node import NodeType
from app.flows.nodes import schedule as schedule_node
from app.flows.nodes import webhook as webhook_node
from app.flows.registry import node_type
from app.flows.triggers.schedule import next_tick
from app.flows.validate import InvalidFlow, Problem

DOORBELL = "doorbell:schedules"


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """What a flow listens to."""

    flow: UUID
    slug: str
    is_enabled: bool
    version: UUID
    node: str
    kind: str
    """The event's name: `webhook`, `schedule`, `alert`, `order.paid`, …"""
    key: str
    """A webhook's path; "" for others."""
    config: dict[str, Any]
    """The trigger's parameters, those with defaults too."""
    next_at: datetime | None
    """A schedule's next tick."""


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    node: str
    kind: str
    key: str
    config: str
    next_at: datetime | None


async def register_triggers(tx: Tx, flow: UUID, version: UUID, document: Document) -> None:
    """Let `version`, just published, listen in place of all earlier ones of its flow.

    A schedule that did not change keeps its next tick: publishing neither loses one nor makes
    one twice. Raises InvalidFlow for parameters that no trigger can have, inputs that are no
    schema, and a webhook's path that another flow has.
    """
    found = {
        name: (spec, kind)
        for name, spec in document.nodes.items()
        if (kind := node_type(spec.type, spec.v)).trigger is not None
    }
    configs, problems = _read(found)
    problems += [Problem("", "inputs", text) for text in schema_problems(document.inputs)]
    if not problems:
        problems += _tick_problems(document, configs)
    if problems:
        raise InvalidFlow(problems)
    before = {
        row["node"]: row
        for row in await tx.fetch(
            "SELECT node, config, next_at FROM flow_trigger WHERE flow = $1", flow
        )
    }
    await tx.execute(
        "DELETE FROM flow_trigger WHERE flow = $1 AND node <> ALL($2)", flow, list(configs)
    )
    for node, params in configs.items():
        row = _Row(
            node=node,
            kind=str(found[node][1].trigger),
            key=params.path if isinstance(params, webhook_node.Params) else "",
            config=msgspec.json.encode(params).decode(),
            next_at=_planned(params, before.get(node), tx.now()),
        )
        await _write(tx, flow, version, row)
    tx.publish(DOORBELL)


async def listeners_of(tx: Tx, flow: UUID) -> tuple[Listener, ...]:
    """Return what a flow listens to, by node."""
    rows = await tx.fetch(
        "SELECT t.flow, f.slug, f.is_enabled, t.version, t.node, t.kind, t.key, t.config, "
        "t.next_at FROM flow_trigger t JOIN flow f ON f.id = t.flow WHERE t.flow = $1 "
        "ORDER BY t.node",
        flow,
    )
    return tuple(
        msgspec.convert({**row, "config": msgspec.json.decode(row["config"])}, Listener)
        for row in rows
    )


def _read(
    found: dict[str, tuple[NodeSpec, NodeType]],
) -> tuple[dict[str, msgspec.Struct], list[Problem]]:
    configs, problems = {}, []
    for name, (spec, kind) in found.items():
        if expressions.sources_of(spec.params):
            message = "a trigger's parameters are fixed; there is no run yet to take values from"
            problems.append(Problem(name, "with", message))
            continue
        try:
            configs[name] = msgspec.convert(spec.params, kind.params)
        except msgspec.ValidationError as error:
            problems.append(Problem(name, "with", str(error)))
    return configs, problems


def _tick_problems(document: Document, configs: dict[str, msgspec.Struct]) -> list[Problem]:
    """Return why the runs of a schedule would be refused: better now than at three in the night."""
    problems = []
    for name, params in configs.items():
        if isinstance(params, schedule_node.Params) and document.inputs:
            never = "1970-01-01T00:00:00Z"
            try:
                Inputs(document.flow, document.inputs).require(
                    {**params.data, "scheduled_at": never, "fired_at": never}
                )
            except BadInput as error:
                problems.append(Problem(name, "with.data", error.message))
    return problems


async def _write(tx: Tx, flow: UUID, version: UUID, row: _Row) -> None:
    try:
        async with tx.savepoint():
            await tx.execute(
                "INSERT INTO flow_trigger (id, flow, version, node, kind, key, config, next_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (flow, node) DO UPDATE SET "
                "version = EXCLUDED.version, kind = EXCLUDED.kind, key = EXCLUDED.key, "
                "config = EXCLUDED.config, next_at = EXCLUDED.next_at",
                new_id(),
                flow,
                version,
                *msgspec.structs.astuple(row),
            )
    except asyncpg.UniqueViolationError as error:
        owner = await tx.fetchval(
            "SELECT f.slug FROM flow_trigger t JOIN flow f ON f.id = t.flow "
            "WHERE t.kind = $1 AND t.key = $2",
            row.kind,
            row.key,
        )
        message = f"the flow {owner} is called at {row.key} already; take another path"
        raise InvalidFlow([Problem(row.node, "with.path", message)]) from error


def _planned(
    params: msgspec.Struct, before: asyncpg.Record | None, now: datetime
) -> datetime | None:
    """Return a schedule's next tick: the one that is planned when its times are the same."""
    if not isinstance(params, schedule_node.Params):
        return None
    if before is not None and before["next_at"] is not None:
        config = msgspec.json.decode(before["config"])
        if (config["cron"], config["timezone"]) == (params.cron, params.timezone):
            planned: datetime = before["next_at"]
            return planned
    return next_tick(params.cron, params.timezone, now)
