"""Check a flow document before it may be published; every problem names node and field.

Pure: a document and the installed node types in, problems out. Each file is one concern, each
check a generator over a `Reading` of the document.
"""

from app.flows.validate.check import errors_of, problems_of, require_valid
from app.flows.validate.problem import InvalidFlow, Problem, Severity

__all__ = ["InvalidFlow", "Problem", "Severity", "errors_of", "problems_of", "require_valid"]
