"""What ships is rehearsed: no fault makes it go bad, and its score is what it ought to be."""

import pytest

from app.flows.dryrun.judge import Verdict
from app.flows.dryrun.rehearse import rehearse
from app.flows.dryrun.result import Ended
from app.flows.gallery import list_templates
from tests.flows.dryrun.stage import template

LEAST = {
    "alert-to-chat": 66,
    "dedicated-server": 66,
    "dns-clean-up": 66,
    "dns-for-hosts": 100,
    "dns-records": 66,
    "payment-to-chat": 66,
    "server-suspended": 66,
    "server-terminated": 76,
    "server-unsuspended": 66,
    "vps-proxmox": 66,
    "vps-reinstall": 66,
    "vps-resize": 66,
    "vps-solusvm1": 66,
    "vps-solusvm2": 66,
    "vps-suspended": 66,
    "vps-terminated": 66,
    "vps-unsuspended": 66,
    "vps-virtualizor": 66,
}
"""What is missing to 100 halts for a person by design: a peer that says no, or that is away for
longer than the retries last."""
LASTING = {"refusal", "refusal_always", "transient_always"}


def test_every_shipped_flow_is_listed() -> None:
    assert LEAST.keys() == {one.slug for one in list_templates()}


@pytest.mark.parametrize("slug", sorted(LEAST))
async def test_no_fault_makes_a_shipped_flow_go_bad(slug: str, installed: None) -> None:
    report = await rehearse(template(slug))
    assert report.baseline is Ended.succeeded
    assert not report.is_cut
    bad = [
        (case.node, case.fault, case.why) for case in report.cases if case.verdict is Verdict.bad
    ]
    assert bad == []
    assert {case.fault.value for case in report.cases if case.verdict is Verdict.halts} <= LASTING
    assert report.score == LEAST[slug]


async def test_a_delivery_survives_any_server_and_is_clean_without_one(installed: None) -> None:
    report = await rehearse(template("dedicated-server"))
    install = {case.fault.value: case for case in report.cases if case.node == "install"}
    assert install["refusal"].why == "it goes on by another branch: aside"
    assert install["refusal_always"].verdict is Verdict.clean
    assert {case.behind for case in report.cases if case.node == "aside"} == {"refusal at install"}
