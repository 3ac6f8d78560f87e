"""What ships is rehearsed: no fault makes it go bad, and its score is what it ought to be."""

import pytest

from app.flows.dryrun.judge import Verdict
from app.flows.dryrun.rehearse import rehearse
from app.flows.dryrun.result import Ended
from app.flows.gallery import list_templates
from tests.flows.dryrun.stage import template

LEAST = {
    "alert-to-chat": 66,
    "custom-http": 66,
    "custom-http-changed": 66,
    "custom-http-reinstall": 66,
    "custom-http-suspended": 66,
    "custom-http-terminated": 66,
    "custom-http-unsuspended": 66,
    "dedicated-ipmi": 75,
    "dedicated-ironic": 75,
    "dedicated-redfish": 75,
    "dedicated-server": 75,
    "dns-clean-up": 66,
    "dns-for-hosts": 100,
    "dns-records": 66,
    "game-pterodactyl": 66,
    "game-reinstall": 66,
    "game-resize": 66,
    "game-suspended": 66,
    "game-terminated": 66,
    "game-unsuspended": 66,
    "ironic-reinstall": 66,
    "ironic-rescue": 77,
    "ironic-suspended": 66,
    "ironic-terminated": 66,
    "ironic-unrescue": 66,
    "ironic-unsuspended": 66,
    "payment-to-chat": 66,
    "server-burn-in": 83,
    "server-erase": 83,
    "server-reinstall": 66,
    "server-rescue": 66,
    "server-suspended": 66,
    "server-terminated": 76,
    "server-unrescue": 66,
    "server-unsuspended": 66,
    "vps-proxmox": 66,
    "vps-reinstall": 66,
    "vps-reinstall-asked": 66,
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


async def test_a_delivery_survives_any_server_and_any_bmc(installed: None) -> None:
    report = await rehearse(template("dedicated-server"))
    ladder = [
        (case.node, case.behind, case.verdict, case.why.rpartition(": ")[2])
        for case in report.cases
        if case.node in {"install", "bmc", "again"} and case.fault.value.startswith("refusal")
    ]
    behind = "refusal at install"
    assert set(ladder) == {
        ("install", "", Verdict.survived, "bmc, again"),
        ("bmc", behind, Verdict.survived, "bmc, aside"),
        ("again", behind, Verdict.survived, "bmc, again, aside"),
    }
