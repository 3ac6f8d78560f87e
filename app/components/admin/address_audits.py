"""What audits of the address space found: each contradiction by name."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.address_space import ACTIVE, AUDITS, space_tabs
from app.components.badge import badge
from app.components.button import submit_button
from app.components.card import card
from app.components.empty import empty
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import duration, moment
from app.domain.addresses.audit import AuditResult
from app.domain.addresses.views import Drift

SHOWN = 50
"""Contradictions of an audit that are listed; the command lists all."""


def audits_page(audits: Sequence[AuditResult], *, may_change: bool, frame: PageFrame) -> h.Element:
    run = h.form(".sw-inline-form", method="post", action=AUDITS)[
        csrf_field(frame.csrf), submit_button("Audit now", busy="Auditing…", weight="primary")
    ]
    return admin_page(
        "Audits",
        page_head(
            "Audits",
            lede="Addresses are compared with orders, services, prefixes, reservations and what "
            "each process remembers, every hour. Whatever contradicts is named.",
            actions=run if may_change else None,
        ),
        h.div(".sw-filters")[space_tabs(AUDITS)],
        card(
            table(
                (
                    Column("When"),
                    Column("Result", narrow=True),
                    Column("Claims", figures=True),
                    Column("Processes", figures=True),
                    Column("Took", figures=True, narrow=True),
                ),
                [
                    Row(
                        cells=(
                            moment(audit.at),
                            result_badge(audit),
                            f"{audit.claims:,}",
                            f"{audit.processes:,}",
                            duration(audit.took_ms),
                        ),
                        href=f"{AUDITS}/{audit.id}",
                        marked=audit.drifts > 0,
                    )
                    for audit in audits
                ],
                caption="Audits",
                empty=empty("shield-check", "No audit yet", "The worker makes one every hour."),
            ),
            flush=True,
        ),
        frame=frame,
        active=ACTIVE,
    )


def audit_page(audit: AuditResult, *, frame: PageFrame) -> h.Element:
    return admin_page(
        "Audit",
        page_head(
            "Audit",
            eyebrow=h.a(href=AUDITS)["Audits"],
            status=result_badge(audit),
            lede=[
                f"{audit.claims:,} claims, looked at ",
                moment(audit.at),
                f"; {audit.processes:,} processes compared what they remember",
            ],
        ),
        notice(
            "info",
            f"The first {SHOWN} of {audit.drifts:,} are listed",
            "slipway ipam audit lists all of them.",
        )
        if audit.drifts > SHOWN
        else None,
        card(
            table(
                (Column("What"), Column("Contradiction"), Column("Kind")),
                [_drift(drift) for drift in audit.found[:SHOWN]],
                caption="Contradictions",
                empty=empty("circle-check", "Nothing contradicts", "Every claim has its reason."),
            ),
            flush=True,
        ),
        frame=frame,
        active=ACTIVE,
    )


def result_badge(audit: AuditResult) -> h.Element:
    if audit.drifts:
        return badge(f"{audit.drifts:,} found", "danger")
    return badge("Clean", "success")


def _drift(drift: Drift) -> Row:
    return Row(
        cells=(
            h.span(".sw-strong.sw-mono")[drift.subject],
            drift.says,
            drift.kind.replace("_", " "),
        )
    )
