"""What templates, values and readers of mail are refused."""

from collections.abc import Sequence

from app.core.errors import Conflict, Refusal

PART_NAMES = {"subject": "Subject", "body_html": "HTML", "body_text": "Text"}


class BadTemplate(Refusal):
    """A template that cannot be rendered; `part` is its field, `line` is 1-based or None."""

    code = "notices.bad_template"

    def __init__(
        self, part: str, reason: str, *, line: int | None = None, available: Sequence[str] = ()
    ) -> None:
        self.part = part
        self.reason = reason
        self.line = line
        self.available = tuple(available)
        super().__init__(f"{PART_NAMES.get(part, part)}: {self.hint}")

    @property
    def hint(self) -> str:
        """The message as it stands beside the field."""
        where = f"Line {self.line}: " if self.line else ""
        known = f" Available here: {', '.join(self.available)}." if self.available else ""
        return f"{where}{self.reason}{known}"


class BadValues(Refusal):
    """The facts given for a mail are not those that its template is made for."""

    code = "notices.bad_values"

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"The mail {template} cannot be made from these values: {reason}.")
        self.template = template


class TemplateChanged(Conflict):
    code = "notices.template_changed"

    def __init__(self) -> None:
        super().__init__(
            "Someone else saved this template in the meantime. What you typed is still here; "
            "open the page in another tab to compare, then save again."
        )


class BodyClosed(Refusal):
    """The mail carries credentials and the reader's role does not manage services."""

    code = "notices.body_closed"

    def __init__(self) -> None:
        super().__init__(
            "This mail carries a client's credentials; only a role that manages services opens it."
        )
