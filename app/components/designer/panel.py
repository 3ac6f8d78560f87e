"""What stands at the right: the form of the selected node, of several, or of the flow itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import htpy as h
import msgspec

from app.components.designer.broken import broken_edges
from app.components.designer.canvas import symbol_of, tone_of
from app.components.designer.fields import View, param_field
from app.components.designer.markdown import inline, markdown
from app.components.designer.policies import policies
from app.components.designer.sample_data import sample_data
from app.components.designer.slot import as_json, saved_by
from app.components.designer.trial_node import node_trial
from app.components.icon import IconName, icon
from app.components.time import moment
from app.domain.connections.views import ConnectionRow
from app.flows.drafts.form import fields_of, with_connections
from app.flows.drafts.kinds.fill_call import can_fill
from app.flows.drafts.ports import title, type_of
from app.flows.drafts.sheet import Sheet
from app.flows.drafts.trial import Trial
from app.flows.drafts.views import DraftView
from app.flows.node import NodeType


def node_panel(
    view: DraftView,
    node: str,
    connections: Sequence[ConnectionRow] = (),
    *,
    trial: Trial | None = None,
    views: Mapping[str, View] | None = None,
) -> h.Element:
    """Return the form of a node, its policies, sample data and comments, and its documentation.

    `views` says how parameters are given now, where that is not how they are saved.
    """
    sheet = view.sheet
    spec, kind = sheet.nodes[node], type_of(sheet, node)
    return h.section("#panel.fl-panel", data_panel=node, aria_label=f"Node {title(sheet, node)}")[
        h.input("#panel-node", type="hidden", name="node", value=node),
        _head(sheet, node, kind),
        h.p(".fl-wrong", data_wrong="node"),
        node_trial(trial, node) if trial else None,
        _fold("clipboard-paste", "Fill from curl or OpenAPI", _described(node))
        if can_fill(sheet, node)
        else None,
        [
            param_field(
                view.id,
                node,
                with_connections(field, connections),
                spec.params.get(field.name),
                view=(views or {}).get(field.name),
            )
            for field in (fields_of(kind) if kind else ())
        ],
        broken_edges(sheet, node),
        _unknown_params(sheet, node, kind),
        h.p(".sw-quiet")["It has no parameters."] if kind and not fields_of(kind) else None,
        _within(sheet, node),
        None
        if kind and kind.container
        else _fold("sliders-horizontal", "Limits and failures", policies(sheet, node)),
        _fold("map-pin", "Sample data", sample_data(sheet, node), is_open=node in sheet.pins),
        _fold(
            "message-square",
            f"Comments ({len(sheet.comments(node))})" if sheet.comments(node) else "Comments",
            comments(sheet, node),
            is_open=bool(sheet.comments(node)),
        ),
        _about(kind) if kind else None,
    ]


def _head(sheet: Sheet, node: str, kind: NodeType | None) -> h.Element:
    spec = sheet.nodes[node]
    return h.header(".fl-panel-head")[
        h.div(class_=f"fl-panel-title {tone_of(spec.type)}")[
            h.span(".fl-symbol")[icon(symbol_of(spec.type))],
            h.div[
                h.h2[kind.title if kind else spec.type],
                h.p(".sw-quiet")[inline(kind.summary) if kind else "This type is not installed."],
            ],
        ],
        h.div(".fl-field")[
            h.label(".sw-label", for_="node-name")["Name"],
            h.input(
                "#node-name.form-control",
                saved_by("rename", "name", node=node),
                value=spec.name,
                placeholder=kind.title if kind else node,
                maxlength=80,
                autocomplete="off",
            ),
            h.p(".sw-help")["In expressions: ", h.code[f"steps.{node}"]],
        ],
        h.div(".fl-panel-actions")[
            _act("duplicate", "copy", "Duplicate"),
            _act("copy", "file-text", "Copy"),
            _act("run-this", "play", "Run this node"),
            _act("run-here", "play", "Run until here"),
            _act("delete", "trash-2", "Delete"),
        ],
        h.p(".sw-help")["Runs are dry: nothing real is touched."],
    ]


def _act(do: str, symbol: IconName, label: str) -> h.Element:
    return h.button(type="button", class_="btn btn-outline btn-sm", data_do=do)[icon(symbol), label]


def _unknown_params(sheet: Sheet, node: str, kind: NodeType | None) -> h.Node:
    known = {field.name for field in fields_of(kind)} if kind else set()
    extra = {key: value for key, value in sheet.nodes[node].params.items() if key not in known}
    if not extra:
        return None
    return h.details(".fl-fold", open=True)[
        h.summary["Parameters that its type does not know"],
        h.pre(".fl-code", tabindex="0")[
            msgspec.json.format(msgspec.json.encode(extra), indent=2).decode()
        ],
    ]


def _within(sheet: Sheet, node: str) -> h.Node:
    containers = [
        other
        for other in sheet.nodes
        if other != node and (kind := type_of(sheet, other)) is not None and kind.container
    ]
    kind = type_of(sheet, node)
    if not containers or (kind is not None and kind.trigger is not None):
        return None
    chosen = sheet.nodes[node].within or ""
    return h.div(".fl-field")[
        h.label(".sw-label", for_="node-within")["Stands in"],
        h.select("#node-within.form-select", saved_by("set_within", "within", nodes=[node]))[
            h.option(value="", selected=not chosen)["No container"],
            [
                h.option(value=name, selected=name == chosen)[title(sheet, name)]
                for name in containers
            ],
        ],
    ]


def _fold(symbol: IconName, label: str, content: h.Node, *, is_open: bool = False) -> h.Element:
    return h.details(id=f"fold-{symbol}", class_="fl-fold", open=is_open)[
        h.summary[icon(symbol), h.span[label]], h.div(".fl-fold-body")[content]
    ]


_MAY_BE = (
    "A curl command; or an OpenAPI document, JSON or YAML, below a line that names the operation: "
)
_MEANS = (
    ". It takes the place of address, method, query, headers and body. Credentials are left out: "
    "they belong into a connection."
)


def _described(node: str) -> h.Fragment:
    """Return the field for a call that was described elsewhere, and what it may be."""
    return h.fragment[
        h.textarea(
            "#node-call.form-control.fl-code",
            rows=4,
            aria_label="curl command or OpenAPI document",
            aria_describedby="node-call-help",
            placeholder="curl https://api.example.net/v1/servers …",
            spellcheck="false",
            autocomplete="off",
        ),
        h.p("#node-call-help.sw-help")[
            _MAY_BE,
            h.code["POST /servers"],
            _MEANS,
        ],
        h.button(
            type="button", class_="btn btn-outline btn-sm", data_give="fill_call",
            data_with=as_json({"node": node}), data_from="node-call", data_keep="",
        )["Fill in"],
    ]  # fmt: skip


def comments(sheet: Sheet, node: str) -> h.Element:
    """Return what designers said about a node, and a field to say more."""
    return h.div("#comments.fl-comments")[
        [
            h.article(".fl-comment")[
                h.p(".fl-comment-head")[
                    h.strong[comment["by"]], moment(datetime.fromisoformat(comment["at"]))
                ],
                h.p[comment["text"]],
                h.button(
                    type="button", class_="btn btn-quiet btn-sm", data_give="uncomment",
                    data_with=as_json({"node": node, "comment": key}),
                    aria_label=f"Settle the comment of {comment['by']}",
                )[icon("check"), "Settle"],
            ]
            for key, comment in sheet.comments(node).items()
        ],
        h.textarea(
            "#node-comment.form-control.fl-grow",
            rows=2,
            aria_label="New comment",
            placeholder="Say something to the other designers…",
        ),
        h.button(
            type="button", class_="btn btn-outline btn-sm", data_give="comment",
            data_with=as_json({"node": node}), data_from="node-comment",
        )["Comment"],
    ]  # fmt: skip


def _about(kind: NodeType) -> h.Element:
    ports = kind.ports if kind.ports_of is None else ()
    return h.details("#fold-about.fl-fold", open=True)[
        h.summary[icon("circle-help"), h.span[f"About “{kind.title}”"]],
        h.div(".fl-fold-body.fl-docs")[
            markdown(kind.docs or kind.summary),
            h.dl(".fl-about")[
                h.dt["Type"],
                h.dd[h.code[f"{kind.name} v{kind.version}"]],
                [h.dt["Ports"], h.dd[", ".join((*ports, "error"))]] if ports else None,
                [h.dt["Gives"], h.dd[_output(kind)]] if kind.output else None,
            ],
        ],
    ]


def _output(kind: NodeType) -> h.Node:
    if kind.output is None:
        return None
    names = [field.encode_name for field in msgspec.structs.fields(kind.output)]
    return [h.code[", ".join(names)]] if names else "nothing"


def many_panel(sheet: Sheet, nodes: Sequence[str]) -> h.Element:
    """Return what may be done to several nodes at once."""
    return h.section("#panel.fl-panel", data_panel="", aria_label="Several nodes")[
        h.header(".fl-panel-head")[h.h2[f"{len(nodes)} nodes are selected"]],
        h.ul(".fl-many")[[h.li[title(sheet, node)] for node in nodes[:20]]],
        h.p(".sw-quiet")[f"and {len(nodes) - 20} more"] if len(nodes) > 20 else None,
        h.div(".fl-panel-actions")[
            _act("duplicate", "copy", "Duplicate"),
            _act("copy", "file-text", "Copy"),
            _act("arrange", "workflow", "Arrange"),
            _act("delete", "trash-2", "Delete"),
        ],
        _within_many(sheet, nodes),
    ]


def _within_many(sheet: Sheet, nodes: Sequence[str]) -> h.Node:
    containers = [
        other
        for other in sheet.nodes
        if other not in nodes and (kind := type_of(sheet, other)) is not None and kind.container
    ]
    if not containers:
        return None
    return h.div(".fl-field")[
        h.label(".sw-label", for_="node-within")["Put into"],
        h.select("#node-within.form-select", saved_by("set_within", "within", nodes=nodes))[
            h.option(value="-", selected=True)["Choose…"],
            h.option(value="")["No container"],
            [h.option(value=name)[title(sheet, name)] for name in containers],
        ],
    ]


def flow_panel(view: DraftView) -> h.Element:
    """Return what is said about the flow as a whole; shown while no node is selected."""
    document = view.sheet.document
    inputs = (
        msgspec.json.format(msgspec.json.encode(document.inputs), indent=2).decode()
        if document.inputs
        else ""
    )
    return h.section("#panel.fl-panel", data_panel="", aria_label="The flow")[
        h.header(".fl-panel-head")[
            h.h2["The flow"],
            h.p(".sw-quiet")["Select a node to see its form. Press ? for all keys."],
        ],
        h.div(".fl-field")[
            h.label(".sw-label", for_="flow-title")["Name"],
            h.input(
                "#flow-title.form-control", saved_by("set_flow", "value", field="name"),
                value=document.name, maxlength=120, autocomplete="off",
            ),
            h.p(".sw-help")["Its short name is ", h.code[document.flow], "."],
        ],
        h.div(".fl-field")[
            h.label(".sw-label", for_="flow-description")["What it does"],
            h.textarea(
                "#flow-description.form-control.fl-grow",
                saved_by("set_flow", "value", field="description"),
                rows=3,
            )[document.description],
        ],
        h.div(".fl-field")[
            h.label(".sw-label", for_="flow-failure")["When a step fails for good"],
            h.select(
                "#flow-failure.form-select", saved_by("set_flow", "value", field="on_failure")
            )[
                h.option(value="halt", selected=document.on_failure == "halt")[
                    "Halt, and let a person decide"
                ],
                h.option(value="compensate", selected=document.on_failure == "compensate")[
                    "Undo what was done"
                ],
            ],
        ],
        h.div(".fl-field")[
            h.label(".sw-label", for_="flow-inputs")["Inputs, as JSON Schema"],
            h.textarea(
                "#flow-inputs.form-control.sw-mono.fl-grow",
                saved_by("set_flow", "value", field="inputs"), rows=4, spellcheck="false",
                placeholder='{"type": "object", "properties": {}}',
            )[inputs],
            h.p(".sw-help")["What a run gets; expressions see it as ", h.code["input"], "."],
        ],
        h.p(".fl-wrong", data_wrong="flow"),
    ]  # fmt: skip
