"""data.list: sort a list, take out what is there twice, take a part, add it up."""

import math
from typing import Annotated, Any

import msgspec

from app.flows.bounds import MAX_ITEMS, shown
from app.flows.node import Done, Effect, NodeType, Step, StepFailed
from app.flows.same import identity

Path = Annotated[str, msgspec.Meta(max_length=200)]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A field to sort by; those without it, or with null, come last."""

    by: Annotated[
        Path,
        msgspec.Meta(
            title="By",
            description="The field, `disk.size` inside of another; empty: the item itself.",
            examples=["ram_gb"],
        ),
    ] = ""
    descending: Annotated[
        bool, msgspec.Meta(title="Descending", description="The largest comes first.")
    ] = False


class Params(msgspec.Struct, frozen=True):
    items: Annotated[
        Annotated[tuple[Any, ...], msgspec.Meta(max_length=MAX_ITEMS)],
        msgspec.Meta(
            title="Items",
            description="The list, 100,000 items at most.",
            examples=[[{"name": "a", "ram_gb": 64}], "=steps.call.body.servers"],
        ),
    ]
    unique_by: Annotated[
        Annotated[tuple[Path, ...], msgspec.Meta(max_length=10)],
        msgspec.Meta(
            title="Unique by",
            description="Of items that are the same in these fields only the first is kept.",
            examples=[["name"]],
        ),
    ] = ()
    sort: Annotated[
        Annotated[tuple[Order, ...], msgspec.Meta(max_length=10)],
        msgspec.Meta(
            title="Sort",
            description="The fields to sort by, the weightiest first.",
            examples=[[{"by": "ram_gb", "descending": True}]],
        ),
    ] = ()
    skip: Annotated[
        Annotated[int, msgspec.Meta(ge=0)],
        msgspec.Meta(title="Skip", description="How many are left out at the start."),
    ] = 0
    limit: Annotated[
        Annotated[int, msgspec.Meta(ge=0)] | None,
        msgspec.Meta(title="Limit", description="How many are kept at most.", examples=[10]),
    ] = None
    total: Annotated[
        Path | None,
        msgspec.Meta(
            title="Add up",
            description="A field that is a number: its sum, smallest and largest are given.",
            examples=["ram_gb"],
        ),
    ] = None


class Output(msgspec.Struct, frozen=True):
    items: Annotated[list[Any], msgspec.Meta(description="What is left, in order.")]
    count: Annotated[int, msgspec.Meta(description="How many that are.")]
    found: Annotated[int, msgspec.Meta(description="How many there were before skip and limit.")]
    first: Annotated[Any, msgspec.Meta(description="The first of them, or null.")] = None
    sum: Annotated[
        int | float | None, msgspec.Meta(description="Of what is left; null without `total`.")
    ] = None
    smallest: Annotated[int | float | None, msgspec.Meta(description="Null without any.")] = None
    largest: Annotated[int | float | None, msgspec.Meta(description="Null without any.")] = None


DOCS = """\
What expressions cannot do with a list: take out what is there twice (`unique_by`), sort, take a
part (`skip`, `limit`) and add up (`total`), in this order, each where it is given. Choosing items
and picking fields is done by expressions: `=steps.call.body.servers.filter(s, s.ready)`.

Numbers are sorted by size, texts by letter, `false` before `true`; mixed kinds are an error. Items
that are equal stay in their order. An empty field name is the item itself, for plain values.

```json
{
  "items": "=steps.call.body.servers",
  "unique_by": ["serial"],
  "sort": [{"by": "ram_gb", "descending": true}, {"by": "name"}],
  "limit": 10,
  "total": "ram_gb"
}
```
"""


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    items = list(params.items)
    if params.unique_by:
        firsts: dict[Any, Any] = {}
        for item in items:
            firsts.setdefault(identity([_field(item, path) for path in params.unique_by]), item)
        items = list(firsts.values())
    for order in reversed(params.sort):
        items = _sorted(items, order)
    found = len(items)
    items = items[params.skip :][: params.limit]
    first = items[0] if items else None
    numbers = [] if params.total is None else _numbers(items, params.total)
    if params.total is None:
        return Done(Output(items, len(items), found, first))
    smallest, largest = min(numbers, default=None), max(numbers, default=None)
    return Done(Output(items, len(items), found, first, _sum(numbers), smallest, largest))


def _field(item: Any, path: str) -> Any:
    """Return the field at `path`, or None where there is none."""
    for name in path.split(".") if path else ():
        item = item.get(name) if isinstance(item, dict) else None
    return item


def _sorted(items: list[Any], order: Order) -> list[Any]:
    having = [(_field(item, order.by), item) for item in items]
    kinds = {_KINDS.get(type(value), "nothing to sort by") for value, _ in having} - {"null"}
    if len(kinds) > 1 or "nothing to sort by" in kinds:
        field = f"the field {order.by}" if order.by else "the items"
        raise StepFailed(
            f"{field} cannot be sorted: there must be numbers only, texts only or truths only; "
            f"there are {', '.join(sorted(kinds))}"
        )
    valued = [pair for pair in having if pair[0] is not None]
    valued.sort(key=lambda pair: pair[0], reverse=order.descending)
    return [item for _, item in valued] + [item for value, item in having if value is None]


_KINDS = {type(None): "null", bool: "truths", int: "numbers", float: "numbers", str: "texts"}


def _numbers(items: list[Any], path: str) -> list[int | float]:
    numbers = []
    for index, item in enumerate(items):
        value = _field(item, path)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise StepFailed(f"{path or 'item'} of item {index} is no number, it is {shown(value)}")
        numbers.append(value)
    return numbers


def _sum(numbers: list[int | float]) -> int | float:
    """Whole numbers are added exactly, whatever their size."""
    try:
        total = sum(numbers)
        if math.isfinite(total):
            return total
    except OverflowError:
        pass
    raise StepFailed("the sum is larger than a number can be")


def says(params: Params) -> str:
    return f"Sorts and cuts a list of {len(params.items):,} items"


node = NodeType(
    name="data.list",
    title="List",
    summary="Sorts a list, removes doubles, takes a part and adds up.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output=Output,
    says=says,
    docs=DOCS,
)
