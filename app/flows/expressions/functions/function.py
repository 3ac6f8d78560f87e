"""What a function of the language is: signatures, documentation, and what it does.

The one table of them (`FUNCTIONS`) tells CEL's checker what exists, the editor what to complete,
and the documentation what to say.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from app.flows.expressions.errors import Fault, Missing
from app.flows.expressions.macros import Run
from app.flows.expressions.meter import CALL, Frame
from app.flows.expressions.values import Type, Uint, a, name_of

ACCEPTS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "bytes": (bytes,),
    "int": (int,),
    "uint": (Uint,),
    "double": (float,),
    "bool": (bool,),
    "list": (list,),
    "map": (dict,),
    "timestamp": (datetime,),
    "duration": (timedelta,),
    "type": (Type,),
    "null": (type(None),),
    "dyn": (),
}
"""Types by the names that signatures use; `dyn` takes anything."""

_SIGNATURE = re.compile(r"(?:(\w+)\.)?([\w.]+)\((.*)\) -> (\w+)")


@dataclass(frozen=True)
class Signature:
    """One way to call a function: `string.split(separator: string) -> list`."""

    text: str

    @cached_property
    def _found(self) -> re.Match[str]:
        found = _SIGNATURE.fullmatch(self.text)
        if found is None:
            raise ValueError(f"{self.text!r} is no signature")
        return found

    @property
    def is_method(self) -> bool:
        return self._found[1] in ACCEPTS

    @property
    def name(self) -> str:
        before, name = self._found[1], self._found[2]
        return name if before is None or self.is_method else f"{before}.{name}"

    @cached_property
    def params(self) -> tuple[str, ...]:
        """The types of the arguments, the receiver of a method first."""
        said = [one.rpartition(":")[2].strip() for one in self._found[3].split(",") if one.strip()]
        return (self._found[1], *said) if self.is_method else tuple(said)

    @property
    def result(self) -> str:
        return self._found[4]


@dataclass(frozen=True)
class Function:
    """A function that expressions may call.

    `do` gets the frame, to pay for what grows, and the arguments. It is pure, bounded, and raises
    `Fault` with what to do, or `Missing`. `examples` are sources with their results. `is_cel`
    says that CEL's checker knows the function by itself.
    """

    group: str
    signatures: tuple[Signature, ...]
    doc: str
    examples: tuple[tuple[str, Any], ...]
    do: Callable[..., Any]
    is_cel: bool = False

    @property
    def name(self) -> str:
        return self.signatures[0].name

    def bound(self, args: tuple[Run, ...]) -> Run:
        """Return the call with these arguments; types are looked at when it is made."""
        fitting = [one for one in self.signatures if len(one.params) == len(args)]
        kinds = [tuple(ACCEPTS[param] for param in one.params) for one in fitting]
        do = self.do

        def run(frame: Frame) -> Any:
            values = [arg(frame) for arg in args]
            if not any(all(map(_takes, each, values)) for each in kinds):
                raise _wrong(self, fitting, values)
            frame.spend(CALL)
            for value in values:
                _pay(frame, value)
            return do(frame, *values)

        return run


def _takes(kinds: tuple[type, ...], value: Any) -> bool:
    return not kinds or type(value) in kinds


def _pay(frame: Frame, value: Any) -> None:
    kind = type(value)
    if kind is str or kind is bytes:
        frame.read(len(value))
    elif kind is list or kind is dict:
        frame.spend(1 + len(value))


def _wrong(function: Function, fitting: list[Signature], values: list[Any]) -> Fault:
    """Name the argument that no signature takes; `Missing` when it is null."""
    for at, value in enumerate(values):
        taken = sorted({one.params[at] for one in fitting})
        if "dyn" not in taken and not any(_takes(ACCEPTS[name], value) for name in taken):
            is_receiver = at == 0 and fitting[0].is_method
            what = "is called on" if is_receiver else f"takes as argument {at + 1}"
            if fitting[0].is_method and not is_receiver:
                what = f"takes as argument {at}"
            kinds = " or ".join(map(a, taken))
            text = f"{function.name}() {what} {kinds}, not {a(name_of(value))}"
            return Missing(text) if value is None else Fault(text)
    ways = "; ".join(one.text for one in fitting)
    return Fault(f"{function.name}() does not take these types together; it is called as {ways}")


def offer(
    group: str,
    *signatures: str,
    doc: str,
    examples: tuple[tuple[str, Any], ...] = (),
    is_cel: bool = False,
) -> Callable[[Callable[..., Any]], Function]:
    """Make a function of the language of what is decorated."""

    def made(do: Callable[..., Any]) -> Function:
        ways = tuple(Signature(text) for text in signatures)
        return Function(group, ways, doc, examples, do, is_cel)

    return made
