"""The form of a product's disk layouts, and the layouts in words with what bears them."""

from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.entry import entry_page
from app.components.admin.outlook import product_href
from app.components.button import link_button
from app.components.card import card
from app.components.choice import checkbox_field
from app.components.facts import facts
from app.components.form import Form, hidden_field, text_field, textarea_field
from app.components.frame import PageFrame
from app.drivers.deploy.layout import DiskLayout, layout_in_words

OFFERED = "Clients choose among them"
LABELS = {"layouts": "Layouts", "offered": OFFERED, "reason": "Reason"}
PLACEHOLDER = (
    "mirror | Mirrored | 2 nvme 480 raid 1, swap 8\n"
    "lvm | Mirrored, with LVM | 2 nvme 480 raid 1, lvm, swap 8, xfs, /home 100"
)
HELP = (
    "One on each line: its code, its name, and after the second bar the disks that carry the "
    "system: number, kind (nvme, ssd, hdd, or any), GB of each at least, and a RAID level (0, 1, "
    "5, 6, 10). Then, with commas between: lvm, ext4 or xfs, swap and its GB, paths with GB of "
    "their own. The root file system takes what is left; other disks are left alone. The first "
    "line is what an order gets that chooses nothing."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Borne:
    """A layout, and how many servers that serve the product could be delivered with it now."""

    layout: DiskLayout
    servers: int


def layouts_page(name: str, slug: str, form: Form, *, frame: PageFrame) -> h.Element:
    return entry_page(
        f"Disk layouts of {name}",
        textarea_field(
            form, "layouts", "Layouts", rows=6, optional=True, mono=True,
            placeholder=PLACEHOLDER, help_=HELP,
        ),
        checkbox_field(
            form,
            "offered",
            OFFERED,
            help_="As a question of the order form; its options cost nothing more unless the "
            "catalogue gives them prices.",
        ),
        text_field(form, "reason", "Reason", help_="Kept in the audit trail."),
        hidden_field("seen", form.value("seen")),
        form=form,
        action=product_href(slug, "layouts"),
        confirm="Save",
        back=(name, product_href(slug)),
        frame=frame,
        active="stock",
        labels=LABELS,
        lede="How netboot divides the disks of a server. An order is given servers alone whose "
        "disks bear its layout.",
        leave="Keep them as they are",
    )  # fmt: skip


def layouts_card(slug: str, layouts: Sequence[Borne], *, may_change: bool) -> h.Element:
    """Return the layouts of a product with the stock that bears each."""
    return card(
        facts(
            (
                one.layout.name,
                h.div[
                    h.div[layout_in_words(one.layout)],
                    h.div(class_=["sw-quiet", {"sw-none-left": one.servers == 0}])[
                        f"{one.servers:,} in stock bear it"
                    ],
                ],
            )
            for one in layouts
        )
        if layouts
        else h.p(".sw-quiet")["The system is on the fastest disks, mirrored where there are two."],
        title="Disk layouts",
        symbol="hard-drive",
        actions=link_button("Change", product_href(slug, "layouts"), size="small")
        if may_change
        else None,
    )
