"""Tokens: every character is in one, and they are CEL's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.expressions import BadExpression, evaluate, references_in
from app.flows.expressions.language import parse
from app.flows.expressions.tokens import Kind, string_value, tokens, words

WORD = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
PIECES = [
    *("'", '"', "'''", '"""', "r'", 'b"', "\\", "\\'", "//", "\n", " ", "a", "é", "\u2028"),
    *("1", ".5", "1e", "0x", "1u", "{", "}", "${", "[", "]", "&&", "&", "==", "=", "`a-b`", "`"),
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join))
def test_tokens_together_are_the_text(text: str) -> None:
    found = list(tokens(text))
    assert "".join(one.text for one in found) == text
    at = 0
    for one in found:
        assert (one.start, one.end) == (at, at + len(one.text))
        at = one.end


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.sampled_from("'\""))
def test_a_string_literal_is_one_token_and_says_what_cel_reads(text: str, quote: str) -> None:
    escaped = re.sub(r"[\\'\"\n\r\x00]", lambda found: f"\\u{ord(found[0]):04x}", text)
    literal = f"{quote}{escaped}{quote}"
    (only,) = tokens(literal)
    assert only.kind is Kind.STRING
    assert string_value(literal) == text
    assert evaluate(f"[{literal}][0]", {}) == text


@given(st.lists(WORD, min_size=1, max_size=5), st.integers(0, 10**6), st.floats(0, 1e6))
def test_what_cel_takes_has_no_bad_token(names: list[str], whole: int, fraction: float) -> None:
    source = f"input.{'.'.join(names)} + {whole} - {fraction!r} // {names[0]} '"
    try:
        parse(source)
    except BadExpression:
        return  # one of the names is a word that CEL keeps for itself
    assert all(one.kind is not Kind.BAD for one in tokens(source))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("1.5e3+.5", ["number", "sign", "number"]),
        ("0xFFu", ["number"]),
        ("1.e", ["number", "sign", "name"]),
        ("a.`b-c`", ["name", "sign", "quoted"]),
        ("r'\\' + b\"x\"", ["string", "sign", "string"]),
        ("'''a'b\n'''", ["string"]),
        ('""', ["string"]),
        ("a // 'b", ["name"]),
        ("a >= b", ["name", "sign", "name"]),
        ("'open", ["bad", "name"]),
        ("§", ["bad"]),
    ],
)
def test_kinds(text: str, kinds: list[str]) -> None:
    assert [one.kind.value for one in words(text)] == kinds


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("r'\\n'", "\\n"),
        ("'\\n\\x41\\u00e9\\U0001F600\\101'", "\nAé😀A"),
        ("b'a'", None),
        ("name", None),
        ("'\\Uffffffff'", "\\Uffffffff"),
    ],
)
def test_what_strings_say(literal: str, value: str | None) -> None:
    assert string_value(literal) == value


def test_references_are_found_in_every_form_and_not_in_strings_or_comments() -> None:
    source = (
        'steps.a.b + steps["create-vm"].x + steps[\'y\'] + "steps.no" + input.steps.no '
        "+ steps [ 'z' ] + steps . w // steps.never\n + steps.`odd-one` + steps"
    )
    assert [name for name, _, _ in references_in(source)] == [
        "a",
        "create-vm",
        "y",
        "z",
        "w",
        "odd-one",
    ]
    for name, start, end in references_in(source):
        assert source[start:end].strip("'\"`") == name
