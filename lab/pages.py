"""The lab's pages, as functions of what they show."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import htpy as h

from lab.faults import FaultKind
from lab.hardware_log import HardwareEvent
from lab.machine import Machine
from lab.mailbox import Letter, MailDown, OpenLetter

SHOWN_CONSOLE_LINES = 3
SHOWN_EVENTS = 40


def asset(name: str) -> str:
    """Return one of the files beside this one."""
    return (Path(__file__).parent / name).read_text()


def overview(machines: Sequence[Machine], speed: float, mail_down: MailDown) -> h.Element:
    """All machines by datacentre and rack, with their knobs."""
    ordered = sorted(
        machines,
        key=lambda m: (m.hardware.datacentre, m.hardware.rack, m.hardware.u_position),
    )
    racks = groupby(ordered, key=lambda m: (m.hardware.datacentre, m.hardware.rack))
    return _layout(
        "Datacentre",
        h.section(".knobs")[
            h.form(method="post", action="/speed")[
                h.label(for_="speed")["Speed"],
                h.input("#speed", name="speed", value=f"{speed:g}", size="6", inputmode="decimal"),
                h.button["Set"],
            ],
            h.form(method="post", action="/mail-down")[
                h.label(for_="mail-down")["Mail server"],
                h.select("#mail-down", name="mail_down")[
                    (
                        h.option(value=each.value, selected=each is mail_down)[label]
                        for each, label in (
                            (MailDown.OFF, "works"),
                            (MailDown.ON, "answers 451"),
                            (MailDown.REFUSE, "refuses connections"),
                        )
                    )
                ],
                h.button["Set"],
            ],
        ],
        (
            h.section[
                h.h2[f"{datacentre} · rack {rack}"],
                h.div(".rack")[(_card(machine) for machine in members)],
            ]
            for (datacentre, rack), members in racks
        ),
    )


def machine_page(machine: Machine, events: Sequence[HardwareEvent]) -> h.Element:
    """One machine with its whole console and its latest hardware times."""
    hardware = machine.hardware
    disks = ", ".join(f"{d.count} x {d.capacity_gb} GB {d.kind}" for d in hardware.disks)
    return _layout(
        hardware.name,
        _card(machine, console=False),
        h.p[
            f"{hardware.cpu_model} · {hardware.cpu_cores} cores · {hardware.ram_gb} GB · {disks} "
            f"· {hardware.mac} · {hardware.serial} · {hardware.uuid}"
        ],
        h.div(".knobs")[
            _hand(machine),
            h.form(method="post", action=f"/machines/{hardware.name}/wipe")[
                h.button(".danger")["Wipe the disks"]
            ],
        ],
        h.h2["Console"],
        h.pre(".console", tabindex="0")["\n".join(machine.console.tail())],
        h.h2["Hardware times"],
        h.table[
            h.thead[h.tr[(h.th[each] for each in ("What", "From", "Seconds", "Waited for HTTP"))]],
            h.tbody[(_event(event) for event in reversed(events[-SHOWN_EVENTS:]))],
        ],
    )


def mailbox_page(letters: Sequence[Letter], to: str | None) -> h.Element:
    """Show the messages, newest first."""
    return _layout(
        f"Mailbox of {to}" if to else "Mailbox",
        h.table[
            h.thead[h.tr[(h.th[each] for each in ("Received", "To", "Subject"))]],
            h.tbody[
                (
                    h.tr[
                        h.td[_moment(letter.received_at)],
                        h.td[", ".join(letter.rcpt_tos)],
                        h.td[h.a(href=f"/mailbox/{letter.id}")[letter.subject or "(no subject)"]],
                    ]
                    for letter in letters
                )
            ],
        ]
        if letters
        else h.p["No mail yet."],
    )


def letter_page(opened: OpenLetter) -> h.Element:
    """One message: its HTML in a sandboxed frame, its text as it is."""
    letter = opened.letter
    return _layout(
        letter.subject or "(no subject)",
        h.p[
            f"{_moment(letter.received_at)} · from {letter.mail_from} · to ",
            ", ".join(letter.rcpt_tos),
            " · ",
            h.a(href=f"/mailbox/{letter.id}/raw")["source"],
        ],
        opened.attachments and h.p[f"Attachments: {', '.join(opened.attachments)}"],
        opened.html
        and h.iframe(
            ".letter",
            sandbox="",
            src=f"/mailbox/{letter.id}/html",
            title="HTML part of the message",
        ),
        opened.text and [h.h2["Text"], h.pre(".console")[opened.text]],
        refreshes=False,
    )


def _card(machine: Machine, *, console: bool = True) -> h.Element:
    hardware, on = machine.hardware, bool(machine.view and machine.view.on)
    current = machine.condition.fault
    target = machine.boot_target
    override = machine.condition.override
    return h.article(class_=["card", machine.phase.value, {"faulty": current is not None}])[
        h.header[
            h.a(href=f"/machines/{hardware.name}")[f"U{hardware.u_position:02d} {hardware.name}"],
            h.span(class_=["power", "on" if on else "off"])["on" if on else "off"],
        ],
        h.p(".facts")[
            f"{hardware.cpu_model} · {hardware.ram_gb} GB · boot "
            f"{f'{target} ({override.lower()})' if override != 'Disabled' else 'disk'}"
        ],
        h.p(".doing")[h.b[machine.phase.value], f" {machine.doing}"],
        console and h.pre["\n".join(machine.console.tail(SHOWN_CONSOLE_LINES))],
        h.form(method="post", action=f"/machines/{hardware.name}/fault")[
            h.select(name="fault", aria_label=f"Fault of {hardware.name}")[
                h.option(value="clear")["no fault"],
                (
                    h.option(
                        value=str(current) if current and current.kind is kind else kind.value,
                        selected=bool(current and current.kind is kind),
                    )[str(current) if current and current.kind is kind else kind.value]
                    for kind in FaultKind
                ),
            ],
            h.button["Set"],
        ],
    ]


def _hand(machine: Machine) -> h.Element:
    """Switch it where it stands: nobody tells Slipway, which asks its BMC now and then."""
    on = bool(machine.view and machine.view.on)
    return h.form(method="post", action=f"/machines/{machine.hardware.name}/power")[
        h.button(".danger" if on else "", name="power", value="off" if on else "on")[
            "Pull the plug" if on else "Switch on by hand"
        ]
    ]


def _event(event: HardwareEvent) -> h.Element:
    seconds = "…" if event.ended_at is None else f"{event.ended_at - event.started_at:.3f}"
    return h.tr[
        h.td[event.kind.value],
        h.td[_moment(event.started_at)],
        h.td[seconds],
        h.td[f"{event.waited_s:.3f}"],
    ]


def _moment(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _layout(title: str, *content: h.Node, refreshes: bool = True) -> h.Element:
    return h.html(lang="en")[
        h.head[
            h.meta(charset="utf-8"),
            h.meta(name="viewport", content="width=device-width, initial-scale=1"),
            h.title[f"{title} · Slipway lab"],
            h.link(rel="stylesheet", href="/lab.css"),
            refreshes and h.script(src="/lab.js", defer=True),
        ],
        h.body[
            h.nav[
                h.a(href="/")["Slipway lab"],
                h.a(href="/mailbox")["Mailbox"],
            ],
            h.main[h.h1[title], content],
        ],
    ]
