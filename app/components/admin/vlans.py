"""VLAN groups, and one group with the ids that are taken of it."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.address import claim_deeds
from app.components.admin.address_space import (
    ACTIVE,
    TOPICS,
    VLANS,
    owner_of,
    prefix_href,
    space_tabs,
)
from app.components.admin.claim_form import terms_fields
from app.components.admin.decide import decide_page
from app.components.admin.trail import trail_card
from app.components.badge import state_badge
from app.components.button import link_button, submit_button
from app.components.card import card, split, stack
from app.components.choice import Option, checkbox_field, select_field
from app.components.confirm import confirm_button
from app.components.empty import empty
from app.components.facts import facts
from app.components.form import Form, form_element, text_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.page import admin_page, page_head
from app.components.pagination import pagination
from app.components.progress import quota
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.addresses.views import ClaimPage, ClaimView, PrefixView, VlanGroupView
from app.domain.audit.views import AuditLine
from app.domain.inventory.views import DatacentreView


def vlans_page(groups: Sequence[VlanGroupView], *, may_change: bool, frame: PageFrame) -> h.Element:
    return admin_page(
        "VLANs",
        page_head(
            "VLANs",
            lede="Groups of VLAN ids, each of a datacentre or of one rack.",
            actions=link_button("Add a group", f"{VLANS}/new", weight="primary", symbol="plus")
            if may_change
            else None,
        ),
        h.div(".sw-filters")[space_tabs(VLANS)],
        vlans_list(groups),
        frame=frame,
        active=ACTIVE,
    )


def vlans_list(groups: Sequence[VlanGroupView]) -> h.Element:
    return live_region(TOPICS, f"{VLANS}/rows", id_="listing", at_most_every_ms=2_000)[
        card(
            table(
                (Column("Group"), Column("Ids"), Column("Place"), Column("Taken")),
                [
                    Row(
                        cells=(
                            h.div[
                                h.span(".sw-strong")[group.name],
                                h.span(".sw-under")["by hand only"]
                                if not group.auto_allocatable
                                else None,
                            ],
                            f"{group.first_vid} – {group.last_vid}",
                            group.datacentre
                            if group.rack is None
                            else f"{group.datacentre}, rack {group.rack}",
                            quota(group.taken, group.size, label="Taken"),
                        ),
                        href=f"{VLANS}/{group.id}",
                        id_=f"group-{group.id}",
                    )
                    for group in groups
                ],
                caption="VLAN groups",
                empty=empty("network", "No VLAN groups yet", "Add one for each datacentre."),
            ),
            flush=True,
        )
    ]


def vlan_group_page(
    group: VlanGroupView,
    claims: ClaimPage,
    prefixes: Sequence[PrefixView],
    *,
    trail: Sequence[AuditLine] | None,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    return admin_page(
        group.name,
        page_head(
            group.name,
            eyebrow=h.a(href=VLANS)["VLANs"],
            lede=f"VLAN {group.first_vid} to {group.last_vid}",
            actions=[
                link_button("Claim an id", f"{VLANS}/{group.id}/claim", weight="primary"),
                link_button("Change", f"{VLANS}/{group.id}/change", symbol="pencil"),
                confirm_button(
                    "Remove",
                    id_="remove",
                    title=f"Remove {group.name}?",
                    text="Only a group of which nothing is taken, and without prefixes on it, can "
                    "be removed.",
                    action=f"{VLANS}/{group.id}/remove",
                    csrf=frame.csrf,
                    confirm="Remove it",
                    weight="quiet",
                    symbol="trash-2",
                ),
            ]
            if may_change
            else None,
        ),
        stack(
            vlan_group_region(group, claims, prefixes, may_change=may_change),
            trail_card(trail) if trail is not None else None,
        ),
        frame=frame,
        active=ACTIVE,
    )


def vlan_group_region(
    group: VlanGroupView, claims: ClaimPage, prefixes: Sequence[PrefixView], *, may_change: bool
) -> h.Element:
    here = f"{VLANS}/{group.id}"
    page = f"?page={claims.page}" if claims.page > 1 else ""
    return live_region(TOPICS, f"{here}/now{page}", id_="group", at_most_every_ms=2_000)[
        split(
            stack(
                card(
                    table(
                        (
                            Column("VLAN"),
                            Column("State", narrow=True),
                            Column("Whose"),
                            Column("Since", narrow=True),
                            Column("What to do", narrow=True, hidden_label=True),
                        ),
                        [_claim(claim, may_change=may_change) for claim in claims.items],
                        caption="Ids that are taken",
                        empty=empty("network", "Every id is free", "Orders claim them as needed."),
                    ),
                    title="Taken",
                    flush=True,
                ),
                pagination(
                    page=claims.page,
                    page_count=claims.page_count,
                    href=lambda page: f"{here}?page={page}",
                ),
            ),
            stack(
                card(
                    stack(
                        quota(group.taken, group.size, label="Taken"),
                        facts(
                            [
                                ("Datacentre", group.datacentre),
                                ("Rack", group.rack or "all"),
                                (
                                    "Orders",
                                    "take from it" if group.auto_allocatable else "do not",
                                ),
                            ]
                        ),
                    ),
                    title="Group",
                ),
                card(
                    facts(
                        [
                            (
                                f"VLAN {prefix.vid}" if prefix.vid else "Any",
                                h.a(href=prefix_href(prefix.id))[str(prefix.network)],
                            )
                            for prefix in prefixes
                        ]
                    )
                    if prefixes
                    else h.p(".sw-quiet")["No prefix lies on one of its VLANs."],
                    title="Prefixes on it",
                    symbol="globe",
                ),
            ),
        )
    ]


def _claim(claim: ClaimView, *, may_change: bool) -> Row:
    return Row(
        cells=(
            h.span(".sw-strong")[claim.text],
            state_badge(claim.state),
            owner_of(claim),
            moment(claim.claimed_at),
            h.div(".sw-actions")[claim_deeds(claim)] if may_change else "",
        ),
        id_=f"claim-{claim.id}",
    )


def vlan_group_form_page(
    title: str,
    form: Form,
    sites: Sequence[DatacentreView],
    *,
    action: str,
    is_new: bool,
    frame: PageFrame,
) -> h.Element:
    """Return the form of a group; its name cannot be changed."""
    labels = {
        "name": "Name",
        "datacentre": "Datacentre",
        "rack": "Rack",
        "first_vid": "First id",
        "last_vid": "Last id",
    }
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=VLANS)["VLANs"]),
        h.div(".sw-decide")[
            card(
                form_element(
                    form,
                    action,
                    text_field(form, "name", "Name") if is_new else None,
                    h.div(".sw-pair")[
                        select_field(
                            form,
                            "datacentre",
                            "Datacentre",
                            [Option(value=site.code, label=site.name) for site in sites],
                        ),
                        text_field(
                            form,
                            "rack",
                            "Rack",
                            optional=True,
                            help_="Left out, it serves all of them.",
                        ),
                    ],
                    h.div(".sw-pair")[
                        text_field(form, "first_vid", "First id", inputmode="numeric"),
                        text_field(form, "last_vid", "Last id", inputmode="numeric"),
                    ],
                    checkbox_field(form, "auto_allocatable", "Orders may take from it"),
                    h.div(".sw-actions")[submit_button("Save", weight="primary")],
                    labels=labels,
                )
            )
        ],
        frame=frame,
        active=ACTIVE,
    )


def claim_vlan_page(group: VlanGroupView, form: Form, *, frame: PageFrame) -> h.Element:
    return decide_page(
        f"Claim a VLAN id of {group.name}",
        text_field(
            form,
            "vid",
            "VLAN",
            inputmode="numeric",
            help_=f"{group.first_vid} to {group.last_vid}.",
        ),
        terms_fields(form, purpose_help="What it is used as, such as storage or out-of-band."),
        about=h.p["No order gets it until you release it."],
        form=form,
        action=f"{VLANS}/{group.id}/claim",
        confirm="Claim",
        back=(group.name, f"{VLANS}/{group.id}"),
        frame=frame,
        active=ACTIVE,
        reason_help="What it is for. Shown wherever the id is.",
        labels={"vid": "VLAN", "client": "Client", "expires_at": "Until"},
    )
