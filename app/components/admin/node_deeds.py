"""Decisions about nodes that lose what is on their disks: asked on a page of their own."""

from collections.abc import Mapping

import htpy as h

from app.components.admin.decide import decide_page
from app.components.admin.nodes import DEEDS, NODES
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.domain.metal.remedy import NodeDeed
from app.domain.metal.views import NodeRow

NAME = "typed"
CONFIRM: Mapping[NodeDeed, str] = {
    NodeDeed.offer: "Clean its disks and offer it",
    NodeDeed.release: "Take the system off",
}


def node_deed_page(node: NodeRow, deed: NodeDeed, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the page that asks whether a node's disks are cleaned; its name must be typed."""
    return decide_page(
        f"{DEEDS[deed]}: {node.name}",
        text_field(form, NAME, f"Type {node.name} to confirm", autocomplete="off"),
        about=h.ul[[h.li[words] for words in _means(node, deed)]],
        form=form,
        action=f"{NODES}/{node.id}/{deed}",
        confirm=CONFIRM[deed],
        weight="danger",
        back=("Nodes", NODES),
        frame=frame,
        active="nodes",
        labels={NAME: "Name"},
    )


def _means(node: NodeRow, deed: NodeDeed) -> tuple[str, ...]:
    clean = (
        f"{node.connection} cleans its disks, as it is set up to: what is on them is lost. This "
        "cannot be taken back."
    )
    if deed is NodeDeed.offer:
        return (
            f"{node.connection} has it as “{node.state}”, and nobody has it there.",
            clean,
            "Then the cloud offers it. The server here stays as it is.",
        )
    whose = (
        f"The service {node.allocated_to} has ended."
        if node.allocated_state is not None
        else f"There is no service {node.allocated_to} here; another Slipway may have it."
    )
    return (
        f"{node.connection} has it as “{node.state}”, by an allocation of ours. {whose}",
        "The system on it is taken off.",
        clean,
    )
