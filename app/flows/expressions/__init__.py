"""Expressions: the Common Expression Language (CEL), bounded and with functions of our own.

CEL's own parser and checker read the source; what it means is done here, one closure a node,
because CEL's evaluator bounds neither time nor memory (docs/rfd/0008-expressions.md). There is no
way to Python from an expression: names are looked up in the scope, keys in maps, and nowhere else.
"""

from app.flows.expressions.errors import BadExpression
from app.flows.expressions.program import check, evaluate
from app.flows.expressions.resolve import (
    Plan,
    is_expression,
    names_in,
    plan,
    problems_in,
    references,
    references_in,
    resolve,
    sources_of,
)
from app.flows.expressions.template import MAX_SOURCE_CHARS

__all__ = [
    "MAX_SOURCE_CHARS",
    "BadExpression",
    "Plan",
    "check",
    "evaluate",
    "is_expression",
    "names_in",
    "plan",
    "problems_in",
    "references",
    "references_in",
    "resolve",
    "sources_of",
]
