"""The page on which one signs in."""

import htpy as h

from app.components.button import submit_button
from app.components.card import card, stack
from app.components.form import Form, email_field, form_element, hidden_field, password_field
from app.components.frame import PageFrame
from app.components.page import page_head, plain_page
from app.components.portal.sign_up import with_next


def sign_in_page(form: Form, *, next_page: str, frame: PageFrame) -> h.Element:
    """Return the sign-in page; `next_page` is where to go after, or empty."""
    return plain_page(
        "Sign in",
        page_head("Sign in"),
        stack(
            card(
                form_element(
                    form,
                    "/sign-in",
                    hidden_field("next", next_page) if next_page else None,
                    email_field(form),
                    password_field(form, "password", "Password", new=False),
                    submit_button("Sign in", busy="Signing in…", symbol="log-in", wide=True),
                    labels={"email": "E-mail address", "password": "Password"},
                )
            ),
            h.p(".sw-help")[
                "New here? ", h.a(href=with_next("/sign-up", next_page))["Create an account"]
            ],
        ),
        frame=frame,
    )
