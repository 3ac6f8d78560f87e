"""How a switch or a PDU is reached."""

import htpy as h

from app.components.admin.dcim import ACTIVE, DEVICES
from app.components.admin.entry import entry_page, pair
from app.components.choice import Option, select_field
from app.components.form import (
    Form,
    password_field,
    text_field,
    textarea_field,
)
from app.components.frame import PageFrame
from app.domain.inventory.views import DeviceView
from app.drivers.pdu.profiles import PROFILES
from app.drivers.switching.dialects import DIALECTS

ACCESS_LABELS = {
    "dialect": "Kind",
    "host": "Host",
    "port": "Port",
    "username": "User name",
    "secret": "Password",
    "more": "Password for more rights",
    "host_key": "Host key",
    "parking_vid": "VLAN of ports that nobody has",
}
_PLAIN: dict[str, h.Attribute] = {"autocapitalize": "none", "spellcheck": "false"}


def access_page(device: DeviceView, form: Form, *, is_known: bool, frame: PageFrame) -> h.Element:
    """Return the form of how a switch, or a PDU, is reached."""
    if device.kind == "pdu":
        return _pdu_access_page(device, form, is_known=is_known, frame=frame)
    kept = "Leave it empty to keep the one there is; it is asked for when the host changes."
    return entry_page(
        f"Access to {device.name}",
        select_field(
            form, "dialect", ACCESS_LABELS["dialect"],
            [Option(value=name, label=one.LABEL) for name, one in DIALECTS.items()],
        ),
        pair(
            text_field(
                form, "host", ACCESS_LABELS["host"], mono=True, autocomplete="off", attrs=_PLAIN,
                placeholder="10.0.0.2",
            ),
            text_field(form, "port", ACCESS_LABELS["port"], inputmode="numeric"),
        ),
        pair(
            text_field(
                form, "username", ACCESS_LABELS["username"], autocomplete="off", attrs=_PLAIN
            ),
            password_field(
                form, "secret", ACCESS_LABELS["secret"], new=True, optional=is_known,
                help_=kept if is_known else None,
            ),
        ),
        password_field(
            form, "more", ACCESS_LABELS["more"], new=True, optional=True,
            help_="Only where the account has to ask for them (enable).",
        ),
        textarea_field(
            form, "host_key", ACCESS_LABELS["host_key"], rows=3, mono=True,
            help_="The command ssh-keyscan HOST prints it; compare it on the switch's own console. "
            "Without it nobody knows who is given the password.",
        ),
        text_field(
            form, "parking_vid", ACCESS_LABELS["parking_vid"], inputmode="numeric",
            help_="Ports are put there when their server is given back. Best one without a way "
            "anywhere.",
        ),
        form=form,
        action=f"{DEVICES}/{device.id}/access",
        confirm="Save",
        back=(device.name, f"{DEVICES}/{device.id}"),
        frame=frame,
        active=ACTIVE,
        labels=ACCESS_LABELS,
    )  # fmt: skip


def _pdu_access_page(
    device: DeviceView, form: Form, *, is_known: bool, frame: PageFrame
) -> h.Element:
    kept = "Leave it empty to keep the one there is; it is asked for when the host changes."
    labels = {**ACCESS_LABELS, "username": "SNMPv3 user", "secret": "Password or community",
              "more": "Password for encryption"}  # fmt: skip
    return entry_page(
        f"Access to {device.name}",
        select_field(
            form, "dialect", labels["dialect"],
            [Option(value=name, label=one.label) for name, one in PROFILES.items()],
        ),
        pair(
            text_field(
                form, "host", labels["host"], mono=True, autocomplete="off", attrs=_PLAIN,
                placeholder="10.0.0.3",
            ),
            text_field(form, "port", labels["port"], inputmode="numeric"),
        ),
        text_field(
            form, "username", labels["username"], optional=True, autocomplete="off", attrs=_PLAIN,
            help_="Signed by SHA. Without one SNMPv2c is spoken, which anyone in between can read.",
        ),
        pair(
            password_field(
                form, "secret", labels["secret"], new=True, optional=is_known,
                help_=kept if is_known else None,
            ),
            password_field(
                form, "more", labels["more"], new=True, optional=True,
                help_="SNMPv3 with AES-128; best given.",
            ),
        ),
        form=form,
        action=f"{DEVICES}/{device.id}/access",
        confirm="Save",
        back=(device.name, f"{DEVICES}/{device.id}"),
        frame=frame,
        active=ACTIVE,
        labels=labels,
        lede="Outlets are switched where a server's power cables lead to this PDU. The last number "
        "in a port's name is that of its outlet.",
    )  # fmt: skip
