"""Have a flow serve a category, and what is done to its servers later follow from that.

Who has a category's servers installed at a cloud of bare metal needs another set of flows for all
the rest of their life: the cloud has their BMCs. Choosing the flow that delivers is enough.
"""

from collections.abc import Mapping
from uuid import UUID

from app.core.database import Tx
from app.flows.bind import bind
from app.flows.document import Document
from app.flows.shipped import DELIVERS, IRONIC, SERVERS, is_for_cloud, publish_once
from app.flows.upgrade import load

BY_BMC = frozenset({"action.install_os", "action.reinstall_os", "action.power", "action.rescue"})
"""What a flow uses that works with servers through their BMCs."""

_SERVED = """
SELECT b.trigger, f.slug, v.document FROM flow_binding b JOIN flow f ON f.id = b.flow
JOIN LATERAL (SELECT document FROM flow_version WHERE flow = f.id
              ORDER BY number DESC LIMIT 1) v ON true
WHERE b.category = $1
"""


async def serve(
    tx: Tx,
    *,
    category: UUID,
    trigger: str,
    flow: str,
    by: UUID | None = None,
    by_label: str = "",
) -> tuple[str, ...]:
    """Bind the flow to a category, and return the shipped flows that were bound along with it.

    When the flow that delivers installs at a cloud, every other event of a server that nothing
    serves, or a shipped flow for BMCs, is served by its like for clouds from then on; with one
    that installs by the BMC those for clouds are taken back in the same way. What a designer
    wrote, or made fit, stays. Raises NotFound, TriggerDoesNotFit.
    """
    await bind(tx, category=category, trigger=trigger, flow=flow, by=by, by_label=by_label)
    if trigger != DELIVERS:
        return ()
    bound = {
        row["trigger"]: (str(row["slug"]), load(row["document"]))
        for row in await tx.fetch(_SERVED, category)
    }
    changes = _along(bound)
    for event, slug in changes.items():
        await publish_once(tx, slug, by=by, by_label=by_label)
        await bind(tx, category=category, trigger=event, flow=slug, by=by, by_label=by_label)
    return tuple(changes.values())


def _along(bound: Mapping[str, tuple[str, Document]]) -> dict[str, str]:
    """Return by event what is to be bound too, from what serves a category now."""
    _, delivers = bound[DELIVERS]
    if is_for_cloud(delivers):
        ours, others, fits = IRONIC, SERVERS, is_for_cloud
    elif _is_by_bmc(delivers):
        ours, others, fits = SERVERS, IRONIC, _is_by_bmc
    else:
        return {}
    found = {}
    for event, slug in ours.items():
        had = bound.get(event)
        if had is None:
            is_ours_to_bind = ours is IRONIC
        else:
            is_ours_to_bind = had[0] == others[event] and not fits(had[1])
        if is_ours_to_bind:
            found[event] = slug
    return found


def _is_by_bmc(document: Document) -> bool:
    return any(spec.type in BY_BMC for spec in document.nodes.values())
