"""Fields that claims by hand and reservations have in common: for whom, and until when."""

from collections.abc import Sequence

import htpy as h

from app.components.choice import Option, select_field
from app.components.form import Form, text_field


def vrf_field(form: Form, vrfs: Sequence[str]) -> h.Element | None:
    """Return the choice of a VRF, where there is more than the global one."""
    if not vrfs:
        return None
    return select_field(
        form,
        "vrf",
        "VRF",
        [Option(value=name, label=name) for name in vrfs],
        blank="Global",
        optional=True,
    )


def terms_fields(form: Form, *, purpose_help: str) -> list[h.Element]:
    """Return the client, the purpose and the end."""
    return [
        text_field(
            form,
            "client",
            "Client",
            kind="email",
            optional=True,
            autocomplete="off",
            help_="E-mail address of the account.",
        ),
        text_field(form, "purpose", "Purpose", optional=True, help_=purpose_help),
        until_field(form),
    ]


def until_field(form: Form) -> h.Element:
    return text_field(
        form,
        "expires_at",
        "Until",
        kind="date",
        optional=True,
        help_="It ends at the beginning of this day (UTC); left out, never.",
    )
