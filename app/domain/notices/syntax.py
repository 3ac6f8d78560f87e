"""The language of mail templates, read as a syntax tree before anything runs."""

from typing import Any

from jinja2 import nodes

METERED = "_metered"
JOINED = "_joined"
LAYOUT = "layout.html"
BLOCKS = frozenset({"preheader", "content"})

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.For,
    nodes.If,
    nodes.CondExpr,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Name,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
    nodes.Test,
    nodes.Call,
    nodes.Keyword,
    nodes.Concat,
    nodes.Assign,
    nodes.Extends,
    nodes.Block,
    nodes.CallBlock,
)

_REASONS: dict[type[nodes.Node], str] = {
    nodes.Macro: "A template cannot define macros; use the parts of the layout.",
    nodes.Include: "A template cannot include others.",
    nodes.Import: "A template cannot import others; the parts of the layout are there already.",
    nodes.FromImport: "A template cannot import others; the parts of the layout are there already.",
    nodes.BinExpr: "There is no arithmetic in mail templates.",
    nodes.UnaryExpr: "There is no arithmetic in mail templates.",
    nodes.AssignBlock: "“set” takes a value here, not a block.",
    nodes.FilterBlock: "Filters are for single values here, not for blocks.",
}


class BadSyntax(Exception):
    """Never leaves this package: render.py makes it a `BadTemplate`."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def check_syntax(tree: nodes.Template, *, parts: frozenset[str], filters: frozenset[str]) -> None:
    """Raise `BadSyntax` for the first element that mail templates do not have."""
    for node in _walk(tree):
        if not isinstance(node, _ALLOWED):
            reasons = (text for kind, text in _REASONS.items() if isinstance(node, kind))
            reason = next(reasons, f"“{type(node).__name__}” is not part of mail templates.")
            raise BadSyntax(reason, node.lineno)
        _check(node, parts, filters)
    _check_layout(tree)


def _check(node: nodes.Node, parts: frozenset[str], filters: frozenset[str]) -> None:
    match node:
        case nodes.Call(node=called):
            if not (isinstance(called, nodes.Name) and called.name in parts):
                known = f" but {', '.join(sorted(parts))}" if parts else ""
                raise BadSyntax(f"Nothing can be called here{known}.", node.lineno)
            if node.dyn_args or node.dyn_kwargs:
                raise BadSyntax("Write each argument out, without “*”.", node.lineno)
        case nodes.Filter(name=name) if name.startswith("_") or name not in filters:
            known = ", ".join(sorted(one for one in filters if not one.startswith("_")))
            raise BadSyntax(f"There is no filter “{name}”. There are: {known}.", node.lineno)
        case nodes.For(recursive=True):
            raise BadSyntax("A loop cannot be recursive.", node.lineno)
        case nodes.Extends(template=nodes.Const(value=value)) if value == LAYOUT and parts:
            pass
        case nodes.Extends():
            raise BadSyntax(f"Only the HTML can extend, and only “{LAYOUT}”.", node.lineno)
        case nodes.Assign(target=target) if not isinstance(target, nodes.Name):
            raise BadSyntax("“set” gives one name one value.", node.lineno)
        case _:
            pass


def _check_layout(tree: nodes.Template) -> None:
    """Refuse what Jinja would leave out of the mail without a word."""
    blocks = list(tree.find_all(nodes.Block))
    if not any(isinstance(node, nodes.Extends) for node in tree.body):
        if blocks or tree.find(nodes.Extends):
            raise BadSyntax(
                f"Blocks fill the layout: begin with {{% extends '{LAYOUT}' %}}.",
                (tree.find(nodes.Extends) or blocks[0]).lineno,
            )
        return
    for block in blocks:
        if block.name not in BLOCKS or block not in tree.body:
            names = " and ".join(sorted(BLOCKS))
            raise BadSyntax(f"The layout has the blocks {names}, side by side.", block.lineno)
    for node in tree.body:
        if isinstance(node, (nodes.Extends, nodes.Block)) or _is_blank(node):
            continue
        raise BadSyntax("What stands outside the blocks would not be in the mail.", node.lineno)


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(
        isinstance(part, nodes.TemplateData) and not part.data.strip() for part in node.nodes
    )


def find_unknown(tree: nodes.Template, known: frozenset[str]) -> nodes.Name | None:
    """Return the first use of a name that is neither known nor bound in the template itself.

    Branches that no sample takes are read too. Scopes are taken as one: a loop's name used
    after the loop is found when it is rendered.
    """
    names = list(tree.find_all(nodes.Name))
    bound = {node.name for node in names if node.ctx != "load"}
    if tree.find(nodes.For):
        bound.add("loop")
    return next((node for node in names if node.name not in known | bound), None)


def meter(tree: nodes.Template) -> None:
    """Rewrite the tree so that each turn of a loop, and each joining of texts, is paid for."""
    for loop in list(tree.find_all(nodes.For)):
        cost = nodes.Const(1 + _literal_length(loop), lineno=loop.lineno)
        loop.iter = _filtered(METERED, loop.iter, [cost])
    for node in _walk(tree):
        for field, value in node.iter_fields():
            if isinstance(value, nodes.Concat):
                setattr(node, field, _joined(value))
            elif isinstance(value, list):  # in place: a joined list is shared with its Concat
                value[:] = [_joined(one) if isinstance(one, nodes.Concat) else one for one in value]


def _literal_length(loop: nodes.For) -> int:
    """Return the length of the fixed text in a loop's body, inner loops' text included."""
    constants = (one.value for one in loop.find_all(nodes.Const) if isinstance(one.value, str))
    return sum(len(data.data) for data in loop.find_all(nodes.TemplateData)) + sum(
        map(len, constants)
    )


def _joined(concat: nodes.Concat) -> nodes.Filter:
    return _filtered(JOINED, nodes.List(concat.nodes, lineno=concat.lineno), [])


def _filtered(name: str, node: Any, args: list[nodes.Expr]) -> nodes.Filter:
    return nodes.Filter(node, name, args, [], None, None, lineno=node.lineno)


def _walk(tree: nodes.Node) -> list[nodes.Node]:
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(reversed(list(node.iter_child_nodes())))
    return found
