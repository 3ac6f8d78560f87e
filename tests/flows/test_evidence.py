"""The pages that say which test shows what name tests that are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
PAGES = ("flows-evidence.md", "editor-evidence.md")
NAMED = {
    page: re.findall(r"`([\w/]+\.py)::(test_\w+)`", (DOCS / page).read_text()) for page in PAGES
}


@pytest.mark.parametrize(
    ("page", "file"), sorted({(page, file) for page in PAGES for file, _ in NAMED[page]})
)
def test_the_named_tests_are_there(page: str, file: str) -> None:
    there = set(
        re.findall(r"^(?:async )?def (test_\w+)\(", (TESTS / file).read_text(), re.MULTILINE)
    )
    assert {name for other, name in NAMED[page] if other == file} <= there
