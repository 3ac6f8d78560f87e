"""Edges, containers, branches: what leads where."""

import itertools

import pytest

from app.flows.document import Document
from app.flows.validate import problems_of
from tests.flows.validate.kinds import flow, only

EACH = {"items": [1]}
IN = {"within": "loop"}


@pytest.mark.parametrize(
    ("document", "node", "words"),
    [
        (flow("go > a", "a.wrong > b", "a > b", a="t.note", b="t.note"),
         "a", "no port wrong; its ports are out, error"),
        (flow("go > a", "a.true > b", a="t.note", b="t.note"), "a", "no port true"),
        (flow("go > a", "a.case:y > b", "a.case:x > b", a=("t.switch", {"cases": ["x"]}), b="t.note"),
         "a", "no port case:y; its ports are case:x, default, error"),
        (flow("go > a", "gone > a", a="t.note"), "gone", "starts at no node"),
        (flow("go > a", "a > gone", a="t.note"), "a", "ends at no input"),
        (flow("go > a", "a > go", a="t.note"), "go", "nothing leads to it; delete the edge from a"),
        (flow("go > a", "go > a", a="t.note"), "go", "is there twice; delete one"),
        (flow("go > a", a="t.note", b="t.note"), "b", "nothing leads to it; connect it, or delete"),
        (flow("go > loop", "loop.each > x", "loop.done > y", "go > y",
              loop=("logic.each", EACH), x="t.note", y=("t.note", {}, IN)),
         "go", "crosses the border of a container: lead to loop"),
        (flow("go > loop", "loop.each > x", "x > y",
              loop=("logic.each", EACH), x=("t.note", {}, IN), y="t.note"),
         "x", "what follows loop hangs on a port of loop"),
        (flow("go > loop", "loop.each > x", loop=("logic.each", EACH), x="t.note"),
         "loop", "x is not inside; put it into the body"),
        (flow("go > loop", loop=("logic.each", EACH)), "loop", "no body; connect its port each"),
        (flow("go > a", "a > b", a="t.note", b=("t.note", {}, {"within": "a"})),
         "b", "a is no container"),
        (flow("go > a", a=("t.note", {}, {"within": "a"})), "a", "a is no container"),
        (flow("go > a", a=("t.note", {}, {"within": "gone"})), "a", "there is no container gone"),
        (flow("go > one", "one.each > two", "two.each > one",
              one=("logic.each", EACH, {"within": "two"}), two=("logic.each", EACH, {"within": "one"})),
         "one", "inside of itself, by way of two"),
        (flow("go > a", "a > b", "b > c", "c > a", a="t.note", b="t.note", c="t.note"),
         "a", "lead back to it (a → b → c → a); use a container such as logic.repeat"),
        (flow("go > a", a=("t.bad_shape", {"ports": 5})), "a", "cannot be told"),
        (flow("go > a", "go > b", "a > c", "b > c", a="t.note", b="t.note", c="t.note"),
         "c", "at the same time come together here, from a and from b; put a logic.join"),
        (flow("go > p", "p.a > c", "p.b > c", p="t.all", c="t.note"), "c", "from p and from p"),
        (flow("go > i", "go > m", "i.true > m", i="t.if", m="t.note"), "m", "from go and from i"),
        (flow("go > a", "go > b", "a.error > m", "b > m", a="t.note", b="t.note", m="t.note"),
         "m", "from a and from b"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_edges_is_told(document: Document, node: str, words: str) -> None:
    told = [problem for problem in problems_of(document) if problem.node == node]
    assert any(words in problem.message and problem.is_error for problem in told), told


@pytest.mark.parametrize(
    "document",
    [
        flow("go > i", "i.true > a", "i.false > b", "a > m", "b > m", i="t.if", a="t.note", b="t.note", m="t.note"),
        flow("go > a", "a > b", "a.error > b", a="t.note", b="t.note"),
        flow("go > a", "go > b", "a > j", "b > j", "j > c", a="t.note", b="t.note", j="logic.join", c="t.note"),
        flow("go > p", "p.a > j", "p.b > j", "p.c > j", "j > c", p="t.all", j="logic.join", c="t.note"),
        flow("go > a", "go > b", a="t.note", b="t.note"),
        flow("go > l", "l.each > x", "l.each > y", "x > j", "y > j", "l.done > z",
             l=("logic.each", EACH), x=("t.note", {}, {"within": "l"}), y=("t.note", {}, {"within": "l"}),
             j=("logic.join", {}, {"within": "l"}), z="t.note"),
        flow("go > a", "go > b", "a > j", "b > j", "j > i", "i.true > m", "i.false > m",
             a="t.note", b="t.note", j="logic.join", i="t.if", m="t.note"),
    ],
)  # fmt: skip
def test_branches_that_exclude_each_other_or_are_joined_may_meet(document: Document) -> None:
    assert problems_of(document) == []


def test_what_one_join_left_out_still_runs_at_the_same_time() -> None:
    document = flow(
        "go > a", "go > b", "go > c", "a > j", "b > j", "j > m", "c > m",
        a="t.note", b="t.note", c="t.note", j="logic.join", m="t.note",
    )  # fmt: skip
    assert "from c and from j" in only(document).message


def test_a_branch_that_went_around_its_join_still_runs_at_the_same_time() -> None:
    document = flow(
        "go > i", "go > b", "i.true > j", "b > j", "j > m", "i.false > m",
        i="t.if", b="t.note", j="logic.join", m="t.note",
    )  # fmt: skip
    assert "from i and from j" in only(document).message


def test_what_may_be_meant_is_a_warning() -> None:
    join = only(flow("go > a", "a > j", a="t.note", j="logic.join"))
    assert (join.node, join.severity) == ("j", "warning")
    wait = only(flow("go > w", "w > a", w=("t.wait", {"timeout": "1h"}), a="t.note"))
    assert (wait.node, wait.severity) == ("w", "warning")
    assert "port timeout" in wait.message
    assert problems_of(flow("go > w", w="t.wait")) == []


def test_two_thousand_nodes_that_fork_at_each_are_looked_through() -> None:
    """Every node forks to the next and to a leaf: as many branches at once as nodes."""
    names = [f"n{number}" for number in range(1_998)]
    spine = ["go", *names[:999]]
    edges = [f"{one} > {other}" for one, other in itertools.pairwise(spine)]
    edges += [f"{one} > {leaf}" for one, leaf in zip(spine, names[999:], strict=False)]
    assert problems_of(flow(*edges, **dict.fromkeys(names, "t.note"))) == []


def test_a_thousand_branches_meet_in_one_join() -> None:
    branches = {f"n{number}": "t.note" for number in range(1_000)}
    edges = [f"go > {name}" for name in branches] + [f"{name} > j" for name in branches]
    last = ("t.note", {"text": "=steps.n7.name + steps.n993.name"})
    assert problems_of(flow(*edges, "j > z", **branches, j="logic.join", z=last)) == []


def test_branches_that_nobody_can_follow_are_refused() -> None:
    names = ["go", *(f"n{number}" for number in range(140))]
    edges = [f"{one} > {other}" for one, other in itertools.combinations(names, 2)]
    problem = only(flow(*edges, **dict.fromkeys(names[1:], "t.note")))
    assert (problem.node, problem.field) == ("", "edges")
    assert "nobody can follow" in problem.message
