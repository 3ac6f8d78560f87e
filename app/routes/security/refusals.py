"""What the edge itself refuses."""

from app.core.errors import Refusal


class SignInNeeded(Refusal):
    code = "security.sign_in_needed"

    def __init__(self) -> None:
        super().__init__("Sign in first.")


class Forbidden(Refusal):
    """Someone of the provider's people lacks a permission; a client is told `not_found`."""

    code = "security.forbidden"

    def __init__(self, permission: str) -> None:
        super().__init__(
            f"Your role does not include “{permission}”. An owner can change your role."
        )
        self.permission = permission


class TokenNeeded(Refusal):
    """An API without a token; `challenge` is for `WWW-Authenticate` (RFC 6750)."""

    code = "security.token_needed"
    challenge = 'Bearer realm="slipway"'

    def __init__(self) -> None:
        super().__init__("Send an API token: `Authorization: Bearer slw_…`.")


class BadToken(Refusal):
    """The same words for a token that never was, has ended, or whose owner is disabled."""

    code = "security.bad_token"
    challenge = 'Bearer realm="slipway", error="invalid_token"'

    def __init__(self) -> None:
        super().__init__(
            "This API token is unknown, expired or revoked. Make another one under /admin/tokens."
        )


class ScopeMissing(Refusal):
    """The token was not made for this; `scope` is what it lacks."""

    code = "security.scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API token lacks the scope {scope}. Make one that has it.")
        self.scope = scope
        self.challenge = f'Bearer realm="slipway", error="insufficient_scope", scope="{scope}"'


class StaleForm(Refusal):
    """A form without its token: from another site, or older than the session."""

    code = "security.stale_form"

    def __init__(self) -> None:
        super().__init__(
            "This page was opened before you signed in or out, or cookies are off. "
            "Go back, reload it and send the form again."
        )


class TooFast(Refusal):
    """More requests than the limit `name` lets through."""

    code = "security.too_fast"

    def __init__(self, name: str, *, retry_after_s: int) -> None:
        super().__init__(f"That was too often in a short time. Try again in {retry_after_s} s.")
        self.name = name
        self.retry_after_s = retry_after_s


class UnreadableAddress(Refusal):
    code = "security.unreadable_address"

    def __init__(self) -> None:
        super().__init__("The address holds a character that cannot be in one.")
