"""logic.parallel: all named branches at once."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.node import ALL_PORTS
from app.flows.nodes.parallel import node
from tests.flows.hand import do, output


def test_it_leaves_by_every_branch_at_once() -> None:
    done = do(node, {"branches": ["dns", "monitoring"]})
    assert done.port == ALL_PORTS
    assert output(done) == {"branches": ["dns", "monitoring"]}
    assert node.all_ports({"branches": ["dns", "monitoring"]}) == (
        "branch:dns",
        "branch:monitoring",
    )


@given(st.lists(st.from_regex(r"[a-z][a-z0-9 ._-]{0,10}", fullmatch=True), min_size=1, max_size=9))
def test_each_branch_has_one_port(names: list[str]) -> None:
    ports = node.all_ports({"branches": names})
    assert [f"branch:{name}" for name in do(node, {"branches": names}).output.branches] == [*ports]
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize("branches", ["=input.names", None, 3, [1, 2]])
def test_names_that_cannot_be_known_make_no_ports(branches) -> None:
    assert node.all_ports({"branches": branches}) == ()


@pytest.mark.parametrize("branches", [[], ["a:b"], ["=input.x"], [""], ["x" * 41]])
def test_what_is_no_name_is_refused(branches) -> None:
    with pytest.raises(msgspec.ValidationError):
        do(node, {"branches": branches})


def test_the_names_are_taken_as_written() -> None:
    assert node.lazy == {"branches"}
