"""The client's side of the gallery: an order, its timeline, its forms."""

from datetime import timedelta

import htpy as h

from app.components.badge import state_badge
from app.components.button import link_button, submit_button
from app.components.card import card, split, stack
from app.components.choice import (
    Option,
    checkbox_cards,
    checkbox_field,
    number_stepper,
    radio_cards,
    select_field,
)
from app.components.confirm import confirm_button
from app.components.facts import code, copyable, facts
from app.components.form import (
    Form,
    email_field,
    form_element,
    password_field,
    text_field,
    textarea_field,
)
from app.components.frame import Theme
from app.components.live import live_region
from app.components.money import money, price_change
from app.components.notice import Flash, notice
from app.components.page import page_head, portal_page
from app.components.time import countdown, elapsed, moment
from app.components.timeline import StepState, TimelineStep, timeline
from app.components.tone import TONE_ICONS
from app.core.money import Money
from tests.components.gallery_setting import NOW, frame

STEPS = (
    TimelineStep(label="Payment received", state=StepState.DONE, elapsed_ms=380),
    TimelineStep(
        label="Server allocated",
        state=StepState.DONE,
        elapsed_ms=910,
        note=["fra1-r02-u14 · ", code("EPYC 7443P")],
    ),
    TimelineStep(label="Addresses assigned", state=StepState.DONE, elapsed_ms=240),
    TimelineStep(
        label="Installing Debian 13",
        state=StepState.RUNNING,
        elapsed_ms=94_000,
        expected_ms=240_000,
        note="Partitioning the disks",
    ),
    TimelineStep(label="Checking the machine answers", state=StepState.PENDING, expected_ms=20_000),
    TimelineStep(label="Sending the credentials", state=StepState.PENDING, expected_ms=2_000),
)
TROUBLED = (
    TimelineStep(label="Server allocated", state=StepState.DONE, elapsed_ms=910),
    TimelineStep(
        label="Powering on",
        state=StepState.FAILED,
        elapsed_ms=62_000,
        note="The BMC of fra1-r02-u14 did not answer; another server is taken.",
    ),
    TimelineStep(label="Control panel", state=StepState.SKIPPED),
)


def typed_form() -> Form:
    return Form(
        values={
            "hostname": 'web_1<script>alert("x")</script>',
            "email": "not-an-address",
            "os": "debian-13",
            "ips": "9",
            "keys": ["laptop"],
        },
        errors={
            "hostname": "Use letters, digits and hyphens only, for example web1.example.org.",
            "email": "That is not an e-mail address.",
            "password": "Use at least 12 characters.",
            "os": "Debian 13 is not offered for this server.",
            "keys": "Choose at least one key.",
            "terms": "The terms must be accepted to order.",
            "ips": "Between 0 and 8 addresses can be added.",
            "region": "Choose a datacentre.",
            "script": "Line 1: it must begin with #!.",
        },
        csrf="t0ken",
        prefix="bad-",
    )


LABELS = {"hostname": "Host name", "email": "E-mail", "password": "Password", "os": "System"}


def order_form(form: Form) -> h.Element:
    return form_element(
        form,
        "/order",
        text_field(
            form,
            "hostname",
            "Host name",
            help_="The name the server gives itself; you can change it later.",
            placeholder="web1.example.org",
            mono=True,
        ),
        email_field(form),
        password_field(form, "password", "Password", new=True, help_="At least 12 characters."),
        radio_cards(
            form,
            "os",
            "Operating system",
            [
                Option(value="debian-13", label="Debian 13", detail="Trixie, preseed"),
                Option(value="ubuntu-24", label="Ubuntu 24.04", detail="LTS, cloud-init"),
                Option(
                    value="alma-9",
                    label="AlmaLinux 9",
                    detail="Kickstart",
                    trailing=price_change(Money(500, "EUR"), per="month"),
                ),
                Option(value="win", label="Windows Server", off="Not for this server"),
            ],
            value="debian-13",
            columns=2,
        ),
        select_field(
            form,
            "region",
            "Datacentre",
            [
                Option(value="fra1", label="Frankfurt"),
                Option(value="ams1", label="Amsterdam", off="none in stock"),
            ],
            blank="No preference",
            optional=True,
        ),
        number_stepper(
            form, "ips", "Extra IPv4 addresses", low=0, high=8, value=2, help_="€2.00 each a month."
        ),
        checkbox_cards(
            form,
            "keys",
            "SSH keys",
            [
                Option(value="laptop", label="laptop", detail=code("SHA256:9f2c…b1")),
                Option(value="ci", label="ci-runner", detail=code("SHA256:77aa…0e")),
            ],
            columns=2,
        ),
        text_field(form, "vat", "VAT number", optional=True, before="EU", after="checked by VIES"),
        textarea_field(form, "script", "Post-install script", optional=True, mono=True, rows=3),
        checkbox_field(form, "terms", ["I accept the ", h.a(href="/terms")["terms of service"]]),
        h.div(".sw-actions")[
            submit_button("Order and pay", busy="Reserving the server…"),
            link_button("Back", "/"),
        ],
        labels=LABELS,
    )


def portal(theme: Theme = "auto") -> h.Element:
    """The client's side: order, timeline, form with errors."""
    summary = card(
        facts(
            [
                ("Server", "EPYC 7443P, 24 cores"),
                ("Memory", "128 GB ECC"),
                ("Storage", "2 x 1.92 TB NVMe, RAID 1"),
                ("Monthly", money(Money(14900, "EUR"), per="month")),
                ("Set-up", price_change(Money(0, "EUR"))),
                ("Credit", money(Money(-1250, "EUR"))),
            ]
        ),
        title="Your order",
        footer=["Held for you: ", countdown(872)],
    )
    access = card(
        facts(
            [
                ("IPv4", copyable("203.0.113.24")),
                ("IPv6", copyable("2001:db8:42:7::1/64")),
                ("Root password", copyable("kT9#vQ2x-pine", label="Copy password", secret=True)),
                ("Power", state_badge("on")),
                ("Delivered", moment(NOW - timedelta(minutes=4))),
            ]
        ),
        title="Access",
        symbol="key-round",
    )
    return portal_page(
        "Order 10427",
        page_head(
            "Order 10427",
            eyebrow=h.a(href="/orders")["Orders"],
            lede="Paid 2 minutes ago. The credentials go to client@example.org when the server answers.",
            status=state_badge("provisioning"),
            actions=[
                link_button("Invoice", "/invoices/1", symbol="receipt"),
                confirm_button(
                    "Cancel order",
                    id_="cancel",
                    title="Cancel this order?",
                    text="The installation stops and the amount goes back to your credit.",
                    action="/orders/1/cancel",
                    csrf="t0ken",
                    confirm="Cancel the order",
                    typed="CANCEL",
                ),
            ],
        ),
        split(
            [
                card(
                    live_region("order:10427", "/orders/10427/timeline")[
                        timeline(STEPS, label="Delivery")
                    ],
                    title="Delivery",
                    lede="It usually takes 6 minutes from here.",
                    actions=elapsed(96_000),
                ),
                access,
                card(timeline(TROUBLED, label="Delivery with trouble"), title="With trouble"),
                notices(),
                card(order_form(Form(csrf="t0ken")), title="Configure"),
            ],
            [summary, card(order_form(typed_form()), title="With errors")],
        ),
        frame=frame(theme, flashes=(Flash("success", "Payment received. Thank you."),)),
        active="orders",
    )


def notices() -> h.Element:
    return stack(
        *(
            notice(tone, f"A {tone} notice", "It says what happened and what can be done.")
            for tone in TONE_ICONS
        )
    )
