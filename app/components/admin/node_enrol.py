"""The form by which a server of ours is enrolled at a cloud of bare metal."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.entry import entry_page, pair
from app.components.admin.nodes import NODES
from app.components.choice import Option, checkbox_field, select_field
from app.components.form import Form, text_field, textarea_field
from app.components.frame import PageFrame

LABELS = {
    "server": "Server",
    "connection": "Cloud",
    "name": "Name there",
    "driver": "Driver",
    "resource_class": "Resource class",
    "ca": "Certificate of its BMC",
    "ca_path": "Path of the authority's certificate",
    "interfaces": "Interfaces",
    "driver_info": "More for the driver",
    "inspect": "Inspect it",
    "offer": "Offer it",
    "stock": "Stock",
}
_PLAIN: dict[str, h.Attribute] = {"autocapitalize": "none", "spellcheck": "false"}


def enrol_page(
    clouds: Sequence[str], form: Form, *, back: tuple[str, str], frame: PageFrame
) -> h.Element:
    """Return the form; its BMC and its cards are taken from our record."""
    return entry_page(
        "Enrol a server",
        pair(
            text_field(
                form, "server", LABELS["server"], autocomplete="off", attrs=_PLAIN,
                help_="By its name in our inventory, out of stock: enrolled, or in maintenance.",
            ),
            select_field(
                form, "connection", LABELS["connection"],
                [Option(value=one, label=one) for one in clouds],
            ),
        ),
        pair(
            text_field(
                form, "name", LABELS["name"], optional=True, attrs=_PLAIN, autocomplete="off",
                help_="Empty: as we call it. A cloud has each name once.",
            ),
            text_field(
                form, "resource_class", LABELS["resource_class"], mono=True, attrs=_PLAIN,
                help_="Servers are allocated within it.", autocomplete="off",
            ),
        ),
        text_field(
            form, "driver", LABELS["driver"], optional=True, mono=True, attrs=_PLAIN,
            placeholder="idrac", autocomplete="off",
            help_="Empty: redfish or ipmi, as its BMC is written down.",
        ),
        pair(
            select_field(
                form, "ca", LABELS["ca"],
                [
                    Option(value="check", label="must be trusted by the conductor"),
                    Option(value="path", label="must be of the authority at a path"),
                    Option(value="any", label="any (not safe)"),
                ],
                help_="Redfish. The conductor checks it, with certificates of its own.",
            ),
            text_field(
                form, "ca_path", LABELS["ca_path"], optional=True, mono=True, attrs=_PLAIN,
                placeholder="/etc/ironic/bmc-ca.pem", help_="On the conductor.",
            ),
        ),
        textarea_field(
            form, "interfaces", LABELS["interfaces"], rows=2, optional=True, mono=True,
            placeholder="boot=redfish-virtual-media",
            help_="A line each, where the driver's own are not meant.",
        ),
        textarea_field(
            form, "driver_info", LABELS["driver_info"], rows=3, optional=True, mono=True,
            placeholder="deploy_kernel=https://images.example.net/ipa.kernel",
            help_="A line each; nothing secret. Address and password of the BMC are sent anyway.",
        ),
        checkbox_field(
            form, "inspect", "Inspect its hardware",
            help_="What is found is compared with the record.",
        ),
        checkbox_field(
            form, "offer", "Have it cleaned and offered",
            help_="The cloud erases its disks, as it is set to.",
        ),
        checkbox_field(
            form, "stock", "Put it into stock then",
            help_="Unless what the inspection found differs from the record.",
        ),
        form=form,
        action=f"{NODES}/enrol",
        confirm="Enrol it",
        busy="Asking…",
        back=back,
        frame=frame,
        active="nodes",
        labels=LABELS,
        lede="The cloud gets the server's BMC with its password, and its network cards.",
    )  # fmt: skip
