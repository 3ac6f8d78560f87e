"""The form of a new product whose machines are virtual."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.machine_rules import (
    LABELS,
    Providers,
    place_fields,
    place_labels,
    provider_notices,
    size_fields,
    what_is_known,
)
from app.components.admin.outlook import STOCK
from app.components.admin.product_form import product_fields, product_page
from app.components.choice import checkbox_field
from app.components.form import Form, text_field, textarea_field
from app.components.frame import PageFrame

NEW = f"{STOCK}/virtual/new"
FIELDS = LABELS | {"systems": "Systems", "role": "Role of its addresses"}


def machine_product_page(
    form: Form, categories: Sequence[tuple[str, str]], providers: Providers, *, frame: PageFrame
) -> h.Element:
    """Return the form; `categories` are slug and name of those of virtual machines."""
    return product_page(
        form,
        product_fields(form, categories, name="Cloud S", shelf="Virtual servers"),
        size_fields(form),
        _systems(form, providers),
        place_fields(form, 0, providers),
        _addresses(form),
        title="New virtual server",
        lede="A product whose machines are made at your provider. It is on sale once saved; "
        "more prices and options come by import.",
        action=NEW,
        notices=provider_notices(providers),
        labels=FIELDS | place_labels(1),
        frame=frame,
    )


def _systems(form: Form, providers: Providers) -> h.Element:
    known = what_is_known(providers)
    words = f" Known are {', '.join(known)}." if known else ""
    return textarea_field(
        form,
        "systems",
        "Systems",
        rows=3,
        mono=True,
        placeholder="debian-13, Debian 13, debian-13-cloud",
        help_="One on each line: its short name, what clients read, and the template that is "
        f"copied for it or the ISO that they install it from, with commas between.{words}",
    )


def _addresses(form: Form) -> h.Element:
    return h.div(".sw-pair")[
        text_field(
            form, "role", "Role of its addresses",
            help_="Of the prefixes that its IPv4 address, and IPv6 network, come from.",
        ),
        checkbox_field(form, "ipv6", "With an IPv6 network (/64)"),
        checkbox_field(form, "vlan", "With a VLAN of its own"),
    ]  # fmt: skip
