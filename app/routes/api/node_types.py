"""`/api/v1/node-types`: what flows can be made of."""

from typing import Annotated, Any

from litestar import Controller, Response, get
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta, Struct

from app.core.errors import NotFound
from app.domain.accounts.scopes import Scope
from app.flows.node import Effect, NodeType, Subject
from app.flows.node_docs import output_schema, params_schema
from app.flows.registry import node_types, versions_of
from app.routes.api.answer import answer, tagged
from app.routes.api.needs import ETAG, IfNoneMatch, needs


class NodeTypeLine(Struct, frozen=True, kw_only=True):
    """A node type in a list."""

    type: Annotated[str, Meta(examples=["action.install_os"])]
    version: int
    title: str
    summary: str
    effect: Annotated[Effect, Meta(description="Where its effect happens, which is made once.")]
    ports: Annotated[
        tuple[str, ...],
        Meta(description="Its outputs, as far as no parameters name them; beside them `error`."),
    ]
    needs: Annotated[Subject | None, Meta(description="What the run must be about.")]
    gives: Annotated[Subject, Meta(description="Of a trigger: what its runs are about.")]
    trigger: Annotated[str | None, Meta(description="The event that it starts runs on.")]
    is_container: Annotated[bool, Meta(description="It has a body of its own.")]
    can_be_undone: bool


class NodeTypeList(Struct, frozen=True, kw_only=True):
    """Every node type that is installed, by name."""

    items: tuple[NodeTypeLine, ...]


class NodeTypeDetail(NodeTypeLine, frozen=True, kw_only=True):
    """A node type with its parameters, its output and how it is used."""

    parameters: Annotated[dict[str, Any], Meta(description="JSON Schema of `with`.")]
    output: Annotated[
        dict[str, Any] | None, Meta(description="JSON Schema of its output, where it is known.")
    ]
    docs: Annotated[str, Meta(description="How it is used, in Markdown.")]


class NodeTypes(Controller):
    """Node types that are installed."""

    path = "/node-types"
    tags = ("Node types",)

    @get(
        **needs(Scope.FLOWS_READ),
        operation_id="listNodeTypes",
        summary="List node types",
        description="What flows can be made of here; packages may add to it.",
        sync_to_thread=False,
    )
    def list(self) -> Response[NodeTypeList]:
        kinds = [kind for _, kind in sorted(node_types().items())]
        return answer(NodeTypeList(items=tuple(map(node_type_line, kinds))))

    @get(
        "/{type_name:str}",
        **needs(Scope.FLOWS_READ, 304),
        response_headers=[ETAG],
        operation_id="showNodeType",
        summary="Show a node type",
        description="Its parameters, output, ports and documentation.",
        sync_to_thread=False,
    )
    def show(
        self,
        type_name: Annotated[str, PathParameter(description="Such as `action.install_os`.")],
        version: Annotated[
            int | None, QueryParameter(description="The latest if left out.", ge=1, le=1_000_000)
        ] = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response[NodeTypeDetail]:
        found = [kind for kind in versions_of(type_name) if version in (None, kind.version)]
        if not found:
            raise NotFound("node type", type_name if version is None else f"{type_name} v{version}")
        return tagged(node_type_detail(found[0]), if_none_match)


def node_type_line(kind: NodeType) -> NodeTypeLine:
    return NodeTypeLine(**_facts(kind))


def node_type_detail(kind: NodeType) -> NodeTypeDetail:
    return NodeTypeDetail(
        **_facts(kind),
        parameters=params_schema(kind),
        output=output_schema(kind),
        docs=kind.docs,
    )


def _facts(kind: NodeType) -> dict[str, Any]:
    return {
        "type": kind.name,
        "version": kind.version,
        "title": kind.title,
        "summary": kind.summary,
        "effect": kind.effect,
        "ports": kind.ports,
        "needs": kind.needs,
        "gives": kind.gives,
        "trigger": kind.trigger,
        "is_container": kind.container,
        "can_be_undone": kind.undo is not None,
    }
