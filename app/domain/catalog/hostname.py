"""Host names as RFC 1123, section 2.1, and RFC 952 allow them."""

import string

LONGEST = 253
LONGEST_LABEL = 63
_ALLOWED = frozenset(string.ascii_lowercase + string.digits + "-")


def hostname_fault(name: str) -> str | None:
    """Return what is wrong with a lower-case host name, None when nothing is.

    `name` is a single label (`db1`) or a full name (`db1.example.org`), without a final dot.
    """
    if not name:
        return "Enter a host name, for example db1.example.org."
    if len(name) > LONGEST:
        return f"A host name has at most {LONGEST} characters; this one has {len(name)}."
    labels = name.split(".")
    if "" in labels:
        return "A host name has no dot at its start and no two dots in a row."
    if fault := next(filter(None, map(_label_fault, labels)), None):
        return fault
    if labels[-1].isdigit():
        # RFC 1123: the last part is alphabetic, so that no name reads like an address.
        return "The last part of a host name cannot be a number."
    return None


def _label_fault(label: str) -> str | None:
    if len(label) > LONGEST_LABEL:
        return f"No part between dots is longer than {LONGEST_LABEL} characters."
    if bad := next((letter for letter in label if letter not in _ALLOWED), None):
        shown = "a space" if bad.isspace() else f"“{bad}”"
        return f"A host name has only the letters a to z, digits, hyphens and dots, not {shown}."
    if label[0] == "-" or label[-1] == "-":
        return f"“{label}” must not begin or end with a hyphen."
    return None
