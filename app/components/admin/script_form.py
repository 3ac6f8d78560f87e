"""The form of a product's post-install script, and how the product's page tells of it."""

import htpy as h

from app.components.admin.entry import entry_page
from app.components.admin.outlook import product_href
from app.components.button import link_button
from app.components.card import card
from app.components.form import Form, hidden_field, text_field, textarea_field
from app.components.frame import PageFrame

LABELS = {"script": "Script", "reason": "Reason"}
HELP = (
    "Bash, run as root in the installed system, after the scripts of the chosen options. It finds "
    "SLIPWAY_OS, SLIPWAY_HOSTNAME, SLIPWAY_FQDN, SLIPWAY_IPV4, SLIPWAY_IPV6 and SLIPWAY_SSH_PORT. "
    "If it ends with another status than 0 the installation has failed, and its last lines are "
    "told. Empty: none."
)
PLACEHOLDER = "apt-get install -y qemu-guest-agent\nsystemctl enable qemu-guest-agent"


def script_page(
    name: str, slug: str, form: Form, *, frame: PageFrame, saved: str | None = None
) -> h.Element:
    """Return the form; with what is `saved` now, "" for none, where someone else changed it."""
    return entry_page(
        f"Post-install script of {name}",
        textarea_field(
            form, "script", "Script", rows=14, optional=True, mono=True,
            placeholder=PLACEHOLDER, help_=HELP,
        ),
        _saved_now(saved) if saved is not None else None,
        text_field(form, "reason", "Reason", help_="Kept in the audit trail."),
        hidden_field("seen", form.value("seen")),
        form=form,
        action=product_href(slug, "script"),
        confirm="Save",
        back=(name, product_href(slug)),
        frame=frame,
        active="stock",
        labels=LABELS,
        lede="What netboot runs in each server of this product once its system is installed, "
        "also at a reinstallation.",
        leave="Keep it as it is",
    )  # fmt: skip


def _saved_now(script: str) -> h.Element:
    label = "Saved now"
    return h.div(".sw-json.sw-field")[
        h.p(".sw-json-title")[label],
        # A region that scrolls must be reachable by keyboard.
        h.pre(".sw-code", tabindex="0", role="group", aria_label=label)[script or "No script."],
    ]


def script_card(slug: str, script: str, *, may_change: bool) -> h.Element:
    """Return how long the script of a product is; its text is for who may change it."""
    lines = len(script.splitlines())
    says = f"{lines} line{'s' if lines != 1 else ''} of bash, run in each installed server."
    return card(
        h.p(".sw-quiet")[says if script else "Nothing runs but what the chosen options add."],
        title="Post-install script",
        symbol="square-terminal",
        actions=link_button("Change", product_href(slug, "script"), size="small")
        if may_change
        else None,
    )
