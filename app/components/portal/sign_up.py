"""The page on which a visitor becomes a client."""

from collections.abc import Mapping
from urllib.parse import quote

import htpy as h

from app.components.button import submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.form import (
    Form,
    email_field,
    form_element,
    hidden_field,
    password_field,
    text_field,
)
from app.components.frame import PageFrame
from app.components.page import page_head, plain_page

SIGN_UP_LABELS = {
    "name": "Name",
    "email": "E-mail address",
    "company": "Company",
    "country": "Country",
    "password": "Password",
}


def sign_up_page(
    form: Form, *, countries: Mapping[str, str], next_page: str, frame: PageFrame
) -> h.Element:
    """Return the sign-up page; `countries` maps code to name, `next_page` is where to go after."""
    return plain_page(
        "Sign up",
        page_head("Create your account"),
        stack(
            card(
                form_element(
                    form,
                    "/sign-up",
                    hidden_field("next", next_page) if next_page else None,
                    text_field(form, "name", SIGN_UP_LABELS["name"], autocomplete="name"),
                    email_field(form, help_="Access to your servers is sent to this address."),
                    text_field(
                        form,
                        "company",
                        SIGN_UP_LABELS["company"],
                        autocomplete="organization",
                        optional=True,
                    ),
                    country_field(form, countries),
                    password_field(
                        form,
                        "password",
                        SIGN_UP_LABELS["password"],
                        new=True,
                        help_="At least 10 characters.",
                    ),
                    submit_button("Create account", busy="Creating…", wide=True),
                    labels=SIGN_UP_LABELS,
                )
            ),
            h.p(".sw-help")[
                "You have an account? ", h.a(href=with_next("/sign-in", next_page))["Sign in"]
            ],
        ),
        frame=frame,
    )


def country_field(form: Form, countries: Mapping[str, str]) -> h.Element:
    """Return the list of countries; the tax on invoices follows from it."""
    return select_field(
        form,
        "country",
        SIGN_UP_LABELS["country"],
        [Option(value=code, label=name) for code, name in countries.items()],
        blank="Choose a country",
        help_="Decides the tax on invoices.",
        attrs={"autocomplete": "country"},
    )


def with_next(address: str, next_page: str) -> str:
    """Return `address`, keeping where the visitor wanted to go."""
    return f"{address}?next={quote(next_page, safe='/')}" if next_page else address
