"""The sample data of a node: what is pinned as its output, to be edited or taken away."""

import htpy as h
import msgspec

from app.components.designer.slot import as_json, saved_by
from app.components.icon import icon
from app.flows.drafts.sheet import Sheet


def sample_data(sheet: Sheet, node: str) -> h.Node:
    held = sheet.pins.get(node)
    text = (
        msgspec.json.format(msgspec.json.encode(held), indent=2).decode()
        if node in sheet.pins
        else ""
    )
    return h.div(".fl-field")[
        h.label(".sw-label", for_="node-pin")["Output, as JSON"],
        h.textarea(
            "#node-pin.form-control.sw-mono.fl-grow",
            saved_by("set_pin", "text", node=node),
            rows=4,
            spellcheck="false",
            placeholder='{"server": "fra1-a1-01"}',
            aria_describedby="node-pin-wrong",
        )[text],
        h.p("#node-pin-wrong.fl-wrong", data_wrong="pin"),
        h.p(".sw-help")[
            "Previews and dry runs take it for what the node gives. Run the node to pin what it "
            "gives then."
        ],
        h.div(".fl-panel-actions")[
            h.button(
                type="button",
                class_="btn btn-outline btn-sm",
                data_give="set_pin",
                data_with=as_json({"node": node, "text": ""}),
            )[icon("x"), "Unpin"]
        ]
        if node in sheet.pins
        else None,
    ]
