"""The form of a server's BMC: how it is reached, and with what."""

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.choice import Option, select_field
from app.components.form import Form, form_element, password_field, text_field, textarea_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import moment
from app.domain.inventory.bmc import BmcView, Rejection

LABELS = {
    "protocol": "Protocol",
    "url": "Address",
    "username": "User name",
    "password": "Password",
    "system_path": "System",
    "tls_mode": "Trust",
    "ca_pem": "Certificate or fingerprint",
    "boot_method": "Installs by",
}
_PLAIN: dict[str, h.Attribute] = {"autocapitalize": "none", "spellcheck": "false"}


def bmc_page(
    bmc: BmcView, rejection: Rejection | None, form: Form, *, frame: PageFrame
) -> h.Element:
    """Return the form, and above it what the BMC said to what is written down."""
    server = f"{SERVERS}/{bmc.server}"
    title = f"BMC of {bmc.server_name}"
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=[
                h.a(href=SERVERS)["Servers"], " / ", h.a(href=server)[bmc.server_name]
            ],
        ),
        h.div(".sw-decide.sw-stack")[
            rejection_notice(rejection) if rejection is not None else None,
            card(
                form_element(
                    form,
                    f"{server}/bmc",
                    *_reach(form),
                    *_sign_in(form, is_known=bool(bmc.url)),
                    *_redfish(form),
                    h.div(".sw-actions")[
                        submit_button("Save"), link_button("Cancel", server, weight="quiet")
                    ],
                    labels=LABELS,
                ),
                title="Management controller",
                symbol="power",
            ),
        ],
        frame=frame,
        active="servers",
    )  # fmt: skip


def rejection_notice(rejection: Rejection, *, change: str = "") -> h.Element:
    """Return what the BMC said; `change` is the address of the form, for a page that is not it."""
    return notice(
        "danger",
        "The BMC rejects the user name or the password",
        h.p(".sw-break")["It said ", moment(rejection.at), ": ", rejection.words],
        h.p[
            _when_again(rejection),
            " A few wrong tries would lock the account. Saving them lets them be tried at once.",
            [" ", h.a(href=change)["Change them"], "."] if change else None,
        ],
    )


def _when_again(rejection: Rejection) -> h.Node:
    if rejection.again_at is None:
        return "They are not tried any more."
    at = moment(rejection.again_at, relative=False)
    return ["They are tried once more, by the first request after ", at, "."]


def _reach(form: Form) -> tuple[h.Element, ...]:
    protocols = [
        Option(value="redfish", label="Redfish"),
        Option(value="ipmi", label="IPMI 2.0"),
    ]
    methods = [
        Option(value="network", label="the network (PXE)"),
        Option(value="http", label="UEFI HTTP boot (Redfish)"),
        Option(value="virtual-media", label="virtual media (Redfish)"),
    ]
    return (
        select_field(
            form, "protocol", LABELS["protocol"], protocols,
            help_="Redfish can more; IPMI is for BMCs that do not have it.", value="redfish",
        ),
        text_field(
            form, "url", LABELS["url"], placeholder="https://10.0.0.7", autocomplete="off",
            help_="https://… for Redfish, ipmi://… for IPMI; with the port where it is another.",
            mono=True, attrs=_PLAIN,
        ),
        select_field(
            form, "boot_method", LABELS["boot_method"], methods, value="network",
            help_="How an installation reaches the machine.",
        ),
    )  # fmt: skip


def _sign_in(form: Form, *, is_known: bool) -> tuple[h.Element, ...]:
    kept = "Leave it empty to keep the one there is; it is asked for when the address changes."
    return (
        text_field(
            form, "username", LABELS["username"], autocomplete="off", attrs=_PLAIN
        ),
        password_field(
            form, "password", LABELS["password"], new=True,
            help_=kept if is_known else None, optional=is_known,
        ),
    )  # fmt: skip


def _redfish(form: Form) -> tuple[h.Element, ...]:
    modes = [
        Option(value="ca", label="a certificate authority"),
        Option(value="pin", label="exactly one certificate"),
        Option(value="off", label="any certificate (not safe)"),
    ]
    return (
        select_field(
            form, "tls_mode", LABELS["tls_mode"], modes, value="ca",
            help_="Redfish only. Whose certificate the BMC must show.",
        ),
        textarea_field(
            form, "ca_pem", LABELS["ca_pem"], rows=4, optional=True, mono=True,
            help_="The authority's certificate (empty: this machine's own list), or the SHA-256 "
            "of the one certificate.",
        ),
        text_field(
            form, "system_path", LABELS["system_path"], optional=True, autocomplete="off",
            placeholder="/redfish/v1/Systems/1", mono=True, attrs=_PLAIN,
            help_="Only where the BMC has several systems.",
        ),
    )  # fmt: skip
