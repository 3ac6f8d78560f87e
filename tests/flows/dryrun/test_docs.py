"""docs/rehearsal.md names the faults and verdicts that there are."""

import re
from pathlib import Path

from app.flows.dryrun.given import FaultKind
from app.flows.dryrun.judge import Verdict

PAGE = (Path(__file__).parents[3] / "docs" / "rehearsal.md").read_text()


def test_every_fault_and_every_verdict_is_described() -> None:
    assert {f"`{kind.value}`" for kind in FaultKind} <= set(re.findall(r"`\w+`", PAGE))
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [one.value for one in Verdict]
