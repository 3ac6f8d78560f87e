"""The pages that say which test shows what name tests that are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGES = sorted((TESTS.parent / "docs").glob("*-evidence.md"))
NAMED = {page.stem: re.findall(r"`([\w/]+\.py)::(test_\w+)`", page.read_text()) for page in PAGES}
FILES = sorted({(page, file) for page, tests in NAMED.items() for file, _ in tests})


def test_there_are_such_pages() -> None:
    assert [page for page, tests in NAMED.items() if tests] == [
        "editor-evidence",
        "flows-evidence",
        "hardware-evidence",
        "inventory-evidence",
        "ipam-evidence",
        "providers-evidence",
    ]


@pytest.mark.parametrize(("page", "file"), FILES, ids=lambda value: value)
def test_the_named_tests_are_there(page: str, file: str) -> None:
    there = set(
        re.findall(r"^ *(?:async )?def (test_\w+)\(", (TESTS / file).read_text(), re.MULTILINE)
    )
    assert {name for other, name in NAMED[page] if other == file} <= there
