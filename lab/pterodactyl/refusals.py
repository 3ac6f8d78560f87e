"""How the panel says no: the class of its exception, a status and words."""

from typing import Any

from lab.pterodactyl.validate import Fault


class Refusal(Exception):
    """One answer that is no success; `errors` is its body's list."""

    def __init__(
        self, status: int, code: str, words: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(words)
        self.status = status
        self.headers = headers or {}
        self.errors: list[dict[str, Any]] = [{"code": code, "status": str(status), "detail": words}]


class Invalid(Refusal):
    """What was sent breaks rules; each field is told."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(422, "ValidationException", "")
        self.errors = [
            {
                "code": "ValidationException",
                "status": "422",
                "detail": words,
                "meta": {"source_field": field, "rule": rule},
            }
            for field, rule, words in faults
        ]


def not_found() -> Refusal:
    words = "The requested resource could not be found on the server."
    return Refusal(404, "NotFoundHttpException", words)


def unauthenticated() -> Refusal:
    return Refusal(401, "AuthenticationException", "Unauthenticated.")


def forbidden() -> Refusal:
    return Refusal(403, "AccessDeniedHttpException", "This action is unauthorized.")


def too_many(again_s: int) -> Refusal:
    headers = {"Retry-After": str(again_s), "X-RateLimit-Remaining": "0"}
    return Refusal(429, "ThrottleRequestsException", "Too Many Attempts.", headers=headers)


def no_node() -> Refusal:
    words = (
        "No nodes satisfying the requirements specified for automatic deployment could be found."
    )
    return Refusal(400, "NoViableNodeException", words)


def no_port() -> Refusal:
    words = "No allocations satisfying the requirements for automatic deployment were found."
    return Refusal(400, "NoViableAllocationException", words)


def refused(words: str) -> Refusal:
    return Refusal(400, "DisplayException", words)


def unknown_filter(name: str) -> Refusal:
    words = f"Requested filter(s) `{name}` are not allowed."
    return Refusal(400, "InvalidFilterQuery", words)


def conflict(words: str) -> Refusal:
    return Refusal(409, "ServerStateConflictException", words)


def daemon_away(status: int = 504) -> Refusal:
    words = (
        "There was an exception while attempting to communicate with the daemon resulting in a "
        f"HTTP/{status} response code. This exception has been logged."
    )
    return Refusal(status, "DaemonConnectionException", words)


def broken() -> Refusal:
    words = "An unexpected error was encountered while processing this request, please try again."
    return Refusal(500, "HttpException", words)
