"""The names that an expression sees."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """A name with its type as signatures write it."""

    name: str
    type: str
    doc: str


NAMES: dict[str, Name] = {
    one.name: one
    for one in (
        Name("input", "map", "What the run was started with."),
        Name("steps", "map", "The outputs of the steps before, by node: `steps.server.name`."),
        Name("vars", "map", "The variables of the run, as `data.set` left them."),
        Name("item", "dyn", "Inside `logic.each`: the item of this round."),
        Name("index", "int", "Inside `logic.each`: the number of the round, from 0."),
        Name("iteration", "map", "Inside a container: `iteration.count`, from 1; 0 outside."),
        Name("error", "map", "On an error branch: `error.node`, `error.message`, `error.kind`."),
        Name("run", "map", "The run itself: `run.id`, `run.flow`, `run.version`."),
        Name("now", "timestamp", "When the step began."),
        Name("result", "dyn", "Where a parameter says so: what the node has just got."),
        Name("items", "list", "Where a parameter says so: the items that the node works on."),
    )
}
"""In the order of the documentation."""
