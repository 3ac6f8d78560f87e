"""The functions of the language, in one table."""

from app.flows.expressions.functions import (
    collection,
    convert,
    encoding,
    formatted,
    moment,
    network,
    text,
)
from app.flows.expressions.functions.function import Function, Signature

__all__ = ["FUNCTIONS", "Function", "Signature"]

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for module in (convert, text, formatted, collection, encoding, network, moment)
    for function in module.FUNCTIONS
}
"""By name, in the order of the documentation."""
