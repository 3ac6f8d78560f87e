"""The ways in which signing in and up is refused."""

import math
from datetime import datetime

from app.core.errors import Conflict, Refusal


class WrongCredentials(Refusal):
    """The same words for an unknown e-mail and a wrong password."""

    code = "accounts.wrong_credentials"

    def __init__(self) -> None:
        super().__init__("E-mail or password is wrong. Check both and try again.")


class AccountDisabled(Refusal):
    """Told only to someone who knew the password."""

    code = "accounts.disabled"

    def __init__(self) -> None:
        super().__init__("This account is disabled. Write to support to have it opened again.")


class TooManyAttempts(Refusal):
    """Sign-in failed too often lately; `retry_at` is when the next try is heard."""

    code = "accounts.too_many_attempts"

    def __init__(self, retry_at: datetime, *, now: datetime) -> None:
        self.retry_at = retry_at
        self.retry_after_s = max(1, math.ceil((retry_at - now).total_seconds()))
        minutes = math.ceil(self.retry_after_s / 60)
        super().__init__(
            f"Too many failed attempts. Try again at {retry_at:%H:%M:%S} UTC "
            f"(in {minutes} minute{'s' if minutes > 1 else ''})."
        )


class LastOwner(Conflict):
    code = "accounts.last_owner"

    def __init__(self) -> None:
        super().__init__(
            "This is the only owner; name another one first, or nobody can manage people."
        )
