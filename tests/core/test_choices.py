"""What may be chosen is told at any depth, and nothing where nothing is chosen."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from app.core.choices import said


class Side(StrEnum):
    FRONT = "front"
    REAR = "rear"


class Row(msgspec.Struct, rename={"kind": "type"}):
    side: Side = Side.FRONT
    kind: Literal["a", "b"] | None = None
    ports: Annotated[tuple[Literal[1, 10], ...], msgspec.Meta(max_length=3)] = ()
    pair: tuple[int, Side] = (1, Side.REAR)
    by_name: dict[str, Side] = {}


class Sheet(msgspec.Struct):
    rows: list[Row]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"side": "left"}, "'left' is none of these: front, rear - at `$.rows[1].side`"),
        ({"type": "c"}, "'c' is none of these: a, b - at `$.rows[1].type`"),
        ({"ports": [1, 7]}, "7 is none of these: 1, 10 - at `$.rows[1].ports[1]`"),
        ({"pair": [1, "x"]}, "'x' is none of these: front, rear - at `$.rows[1].pair[1]`"),
        (
            {"by_name": {"a": "x"}},
            "'x' is none of these: front, rear - at `$.rows[1].by_name[...]`",
        ),
        ({"side": 7}, "Expected `str`, got `int` - at `$.rows[1].side`"),
        (7, "Expected `object`, got `int` - at `$.rows[1]`"),
        ({"side": "a - at `$.b`"}, "'a - at `$.b`' is none of these: front, rear"),
    ],
)
def test_what_may_be_chosen_is_told(row: Any, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"rows": [{}, row]}, Sheet)
    assert said(caught.value, Sheet).startswith(words)


def test_the_whole_may_be_a_choice() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert("x", Side)
    assert said(caught.value, Side) == "'x' is none of these: front, rear"


def test_other_words_stay() -> None:
    assert said(msgspec.ValidationError("Invalid enum value 'x' - at `$.y`"), Sheet) == (
        "Invalid enum value 'x' - at `$.y`"
    )
