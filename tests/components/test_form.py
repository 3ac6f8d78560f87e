"""A field shows what was typed, and ties its error and its help to the input."""

import re

from app.components.choice import Option, checkbox_field, number_stepper, radio_cards, select_field
from app.components.form import (
    Form,
    email_field,
    error_summary,
    form_element,
    password_field,
    text_field,
    textarea_field,
)

FORM = Form(
    values={
        "host": "we b",
        "mail": "a@",
        "os": "alma",
        "ips": "12",
        "pass": "secret",
        "note": "\nx",
    },
    errors={"host": "No spaces.", "os": "Not offered.", "pass": "Too short."},
    csrf="abc",
    prefix="f-",
)


def attributes(html: str, tag: str) -> dict[str, str]:
    found = re.search(rf"<{tag}\b([^>]*)>", html)
    assert found
    return dict(re.findall(r'([\w:-]+)="([^"]*)"', found[1]))


def test_a_wrong_field_keeps_its_value_and_names_its_error_and_help() -> None:
    html = str(text_field(FORM, "host", "Host name", help_="Short."))
    entry = attributes(html, "input")
    assert entry["value"] == "we b"
    assert entry["aria-invalid"] == "true"
    assert entry["aria-describedby"] == "f-host-help f-host-error"
    assert attributes(html, "label")["for"] == entry["id"] == "f-host"
    assert attributes(html, "p")["id"] == "f-host-error"
    assert "No spaces." in html


def test_a_right_field_says_nothing_of_errors() -> None:
    html = str(email_field(FORM, "mail"))
    entry = attributes(html, "input")
    assert entry["value"] == "a@"
    assert "aria-invalid" not in entry
    assert "aria-describedby" not in entry
    assert "sw-error" not in html


def test_a_password_is_never_sent_back() -> None:
    html = str(password_field(FORM, "pass", "Password", new=True))
    assert "secret" not in html
    assert attributes(html, "input")["autocomplete"] == "new-password"
    assert "Too short." in html
    assert "secret" not in str(text_field(FORM, "pass", "Password", kind="password"))


def test_a_textarea_keeps_a_leading_line_break() -> None:
    html = str(textarea_field(FORM, "note", "Note"))
    assert ">\n\nx</textarea>" in html  # a parser drops the first of the two


def test_a_choice_typed_before_wins_over_the_default() -> None:
    options = [Option(value="debian", label="Debian"), Option(value="alma", label="Alma")]
    cards = str(radio_cards(FORM, "os", "System", options, value="debian"))
    assert re.findall(r'value="(\w+)" checked', cards) == ["alma"]
    assert attributes(cards, "fieldset")["aria-describedby"] == "f-os-error"
    chosen = str(select_field(FORM, "os", "System", options, value="debian"))
    assert re.findall(r'value="(\w+)" selected', chosen) == ["alma"]
    fresh = str(radio_cards(Form(), "os", "System", options, value="debian"))
    assert re.findall(r'value="(\w+)" checked', fresh) == ["debian"]


def test_what_cannot_be_chosen_is_disabled_and_says_why() -> None:
    html = str(radio_cards(Form(), "dc", "Place", [Option(value="a", label="A", off="No stock")]))
    assert "disabled" in html
    assert "No stock" in html


def test_a_box_unticked_by_hand_stays_unticked() -> None:
    assert " checked" in str(checkbox_field(Form(), "news", "News", checked=True))
    assert " checked" not in str(checkbox_field(FORM, "news", "News", checked=True))


def test_a_stepper_shows_the_number_that_was_refused() -> None:
    entry = attributes(
        str(number_stepper(FORM, "ips", "Addresses", low=0, high=8, value=1)), "input"
    )
    assert (entry["value"], entry["min"], entry["max"]) == ("12", "0", "8")


def test_the_summary_leads_to_each_field_and_takes_the_focus() -> None:
    html = str(error_summary(FORM, {"host": "Host name"}))
    assert 'href="#f-host"' in html
    assert "Host name: No spaces." in html
    assert "autofocus" in html
    assert error_summary(Form(), {}) is None


def test_an_error_of_the_whole_form_needs_no_list() -> None:
    html = str(error_summary(Form(errors={"": "Wrong password."}), {}))
    assert "Wrong password." in html
    assert "<ul" not in html


def test_a_form_posts_with_its_token() -> None:
    html = str(form_element(FORM, "/order", "body"))
    assert attributes(html, "form")["method"] == "post"
    assert attributes(html, "input") == {"type": "hidden", "name": "_csrf_token", "value": "abc"}
