"""Answers that are good for a short while."""

import pytest

from app.core.recent import Recent


async def test_it_holds_for_a_while_and_errors_are_none() -> None:
    asked: list[str] = []

    async def read() -> str:
        asked.append("once more")
        if len(asked) == 1:
            raise TimeoutError
        return f"answer {len(asked)}"

    recent = Recent(most=2)
    with pytest.raises(TimeoutError):
        await recent.get("a", read)
    assert [await recent.get("a", read) for _ in range(2)] == ["answer 2"] * 2
    assert [await recent.get(key, read) for key in ("b", "c", "b")] == [
        "answer 3", "answer 4", "answer 3",
    ]  # fmt: skip
    assert await recent.get("a", read) == "answer 5", "the oldest is dropped"
    brief = Recent(hold_s=0.0)
    assert [await brief.get("a", read) for _ in range(2)] == ["answer 6", "answer 7"]
