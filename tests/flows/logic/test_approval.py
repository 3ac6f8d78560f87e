"""logic.approval: a person's first word counts."""

from datetime import timedelta
from typing import get_args

import msgspec
import pytest

from app.domain.accounts.roles import Role, is_staff
from app.flows.nodes.approval import Params, node
from tests.flows.hand import NOW, again, do, output, step, wait

ASK = {"title": "Deliver?", "role": "finance", "timeout": "2d"}


def test_it_waits_for_the_word_on_its_own_step() -> None:
    waited = wait(node, ASK)
    assert waited.signal == f"approval:{step().key}"
    assert waited.says == "waiting for approval"
    assert waited.until == NOW + timedelta(days=2)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_it_leaves_by_what_was_decided(decision: str) -> None:
    word = {"decision": decision, "by": "ada", "note": "known client"}
    done = do(node, ASK, again(wait(node, ASK), now=NOW, signals=(word,)))
    assert done.port == decision
    assert output(done) == word


def test_the_first_word_counts() -> None:
    words = ({"decision": "rejected", "by": "ada"}, {"decision": "approved", "by": "bob"})
    done = do(node, ASK, again(wait(node, ASK), now=NOW, signals=words))
    assert output(done) == {"decision": "rejected", "by": "ada", "note": ""}


@pytest.mark.parametrize("word", [{}, None, "approved", {"decision": "maybe"}, {"decision": 1}])
def test_what_is_no_decision_leaves_the_question_open(word) -> None:
    waited = wait(node, ASK)
    assert wait(node, ASK, again(waited, now=NOW, signals=(word,))).until == waited.until


def test_when_nobody_decides_it_leaves_by_timeout() -> None:
    waited = wait(node, ASK)
    done = do(node, ASK, again(waited, now=waited.until))
    assert done.port == "timeout"
    assert output(done) == {"decision": "timeout", "by": "", "note": ""}


def test_without_a_timeout_it_waits_for_ever() -> None:
    waited = wait(node, {"title": "Deliver?"})
    for _ in range(24):
        waited = wait(node, {"title": "Deliver?"}, again(waited, now=waited.until))
    assert waited.signal.startswith("approval:")


def test_every_role_of_the_staff_may_be_asked_and_no_client() -> None:
    role = next(field for field in msgspec.structs.fields(Params) if field.name == "role")
    asked = set(get_args(get_args(role.type)[0]))
    assert asked == {str(one) for one in Role if is_staff(one)}
