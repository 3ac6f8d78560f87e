"""Every component in every state: looked at by people, parsed by tests.

The pages are complete documents, so that they can be served and photographed.
"""

import htpy as h

from app.components.button import submit_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.errors import error_page
from app.components.form import (
    Form,
    email_field,
    form_element,
    password_field,
)
from app.components.frame import Theme
from app.components.page import page_head, plain_page, portal_page
from tests.components.gallery_admin import admin
from tests.components.gallery_portal import portal
from tests.components.gallery_setting import frame


def sign_in(theme: Theme = "auto") -> h.Element:
    form = Form(errors={"": "The address or the password is wrong."}, csrf="t0ken")
    return plain_page(
        "Sign in",
        stack(
            page_head("Sign in", lede=["New here? ", h.a(href="/sign-up")["Create an account"]]),
            card(
                form_element(
                    form,
                    "/sign-in",
                    email_field(form),
                    password_field(form, "password", "Password", new=False),
                    submit_button("Sign in", busy="Signing in…", wide=True),
                )
            ),
        ),
        frame=frame(theme, signed_in=False),
    )


def missing(theme: Theme = "auto") -> h.Element:
    return error_page(404, frame=frame(theme, signed_in=False), request_id="01JP8Z3X")


def shop(theme: Theme = "auto") -> h.Element:
    """A page for someone who is not signed in."""
    return portal_page(
        "Servers",
        page_head("Dedicated servers", lede="Ready in minutes, on hardware that is yours alone."),
        empty("server", "Nothing in stock", "Leave your address and we write when there is."),
        frame=frame(theme, signed_in=False),
        active="catalogue",
    )


PAGES = {"portal": portal, "admin": admin, "sign-in": sign_in, "missing": missing, "shop": shop}
