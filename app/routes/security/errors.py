"""Every error becomes an answer here: its status by one table, its form by who asks.

A page is answered with a page, htmx with a message at the head of the page it is on, and
everything else with `application/problem+json` (RFC 9457). What went wrong inside is
logged with the request's id; the client gets the id.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect

from app.components.assets import AssetsMissing
from app.components.errors import error_page
from app.components.notice import Flash, flash_messages
from app.core.choices import with_choices
from app.core.errors import Invalid, Refusal
from app.domain.accounts.roles import is_staff
from app.domain.addresses.errors import FileRefused
from app.flows.validate import InvalidFlow
from app.routes.security.frame import frame_of
from app.routes.security.html import html
from app.routes.security.next_page import sign_in_address
from app.routes.security.refusals import SignInNeeded
from app.routes.security.visit import is_htmx, visit_of

log = structlog.get_logger(__name__)

# By a refusal's code; a subclass without a row of its own has its parent's, and a code
# `area.what` its area's.
STATUS = {
    "refused": 409,
    "not_found": 404,
    "invalid": 422,
    "conflict": 409,
    "accounts.wrong_credentials": 422,
    "accounts.disabled": 403,
    "accounts.too_many_attempts": 429,
    "security.sign_in_needed": 401,
    "security.token_needed": 401,
    "security.bad_token": 401,
    "security.scope_missing": 403,
    "security.forbidden": 403,
    "security.stale_form": 403,
    "security.too_fast": 429,
    "security.unreadable_address": 400,
    "api.key_reused": 422,
    "api.bad_cursor": 400,
    "api.changed": 412,
    "api.too_deep": 400,
    "api.not_utf8": 400,
    "api.holds_nul": 400,
    "flow.invalid": 422,
    "flow.bad_document": 422,
    "flow.bad_expression": 422,
    "flow.cannot_import": 422,
    "flow.file_too_large": 413,
    "flow.not_yours_to_decide": 403,
    "flow.unknown_node_type": 422,
    "ipam.file_refused": 422,
    "unreadable_file": 422,
    "hooks.not_signed": 401,
    "hooks.bad_body": 400,
    "hooks.bad_alerts": 400,
    "assets": 500,
    "database": 500,
    "embedded": 500,
    "secrets": 500,
    "settings": 500,
    "driver": 502,
}
# These speak to the provider's people: pools, hosts, keys. Clients are told less.
FOR_STAFF = frozenset(
    {
        "bmc",
        "connections",
        "deploy",
        "driver",
        "drivers",
        "flow",
        "flows",
        "install",
        "inventory",
        "ipam",
    }
)
UNAVAILABLE = "This is not available at the moment. Try again later, or write to support."

WORDS = {
    400: "The request could not be read. Go back, reload the page and try again.",
    405: "This address does not take that kind of request.",
    413: "What was sent is larger than this address takes.",
    415: "This address does not take that kind of content.",
}

OURS = "/api/v1/"
"""Addresses at which programs of other people call us."""
API = ("/api/", "/hooks/", "/webhooks/", "/netboot/")


def refuse(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    """Answer a refusal that no handler answered itself."""
    if isinstance(refusal, SignInNeeded):
        return _lead_to_sign_in(request)
    status = status_of(refusal)
    if status >= 500:
        return break_down(request, refusal)
    headers = {}
    if retry_after_s := getattr(refusal, "retry_after_s", None):
        headers["Retry-After"] = str(retry_after_s)
    if challenge := getattr(refusal, "challenge", None):
        headers["WWW-Authenticate"] = challenge
    facts: dict[str, Any] = {}
    if isinstance(refusal, Invalid):
        facts["fields"] = refusal.fields
    if isinstance(refusal, InvalidFlow):
        facts["problems"] = refusal.problems
    if isinstance(refusal, FileRefused):
        facts["rows"] = refusal.rows
    return _answer(
        request, status, refusal.code, _words_for(request, refusal), headers=headers, facts=facts
    )


def reject(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer what Litestar itself refuses.

    Its details are a developer's, not a client's: only a program that calls our API is told.
    """
    status = error.status_code
    if status >= 500:
        return break_down(request, error)
    if status == 401:
        return _lead_to_sign_in(request)
    headers = {
        name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"
    }
    if not request.scope["path"].startswith(OURS):
        return _answer(request, status, f"http.{status}", WORDS.get(status), headers=headers)
    if isinstance(error, ValidationException):
        fields = _fields_of(request, error)
        said = [f"{name}: {words}." if name else f"{words}." for name, words in fields.items()]
        detail = " ".join(said) or error.detail
        return _problem(
            request, 422, Invalid.code, detail, headers=headers, facts={"fields": fields}
        )
    return _problem(request, status, f"http.{status}", error.detail, headers=headers)


def break_down(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Log what nobody expected, with its trace, and answer 500 with the request's id."""
    log.error(
        "request failed",
        request_id=visit_of(request.scope).request_id,
        method=request.method,
        path=request.scope["path"],
        exc_info=error,
    )
    return _answer(request, 500, "internal", None)


def status_of(refusal: Refusal) -> int:
    """Return the HTTP status of a refusal."""
    for kind in type(refusal).__mro__:
        code = kind.__dict__.get("code")
        if isinstance(code, str):
            if code in STATUS:
                return STATUS[code]
            if (area := code.partition(".")[0]) in STATUS:
                return STATUS[area]
    return STATUS[Refusal.code]


def _words_for(request: Request[Any, Any, Any], refusal: Refusal) -> str:
    account = visit_of(request.scope).account
    if refusal.code.partition(".")[0] in FOR_STAFF and not (account and is_staff(account.role)):
        return UNAVAILABLE
    return refusal.message


def _lead_to_sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    if is_htmx(request):
        return Response(
            "",
            status_code=401,
            headers={"HX-Redirect": sign_in_address(request)},
            media_type="text/html",
        )
    if _wants_page(request):
        return Redirect(sign_in_address(request), status_code=303)
    refusal = SignInNeeded()
    return _problem(request, 401, refusal.code, refusal.message)


def _answer(
    request: Request[Any, Any, Any],
    status: int,
    code: str,
    message: str | None,
    *,
    headers: dict[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Response[Any]:
    if is_htmx(request):
        # htmx 4 swaps errors too: without a new target the message would take the
        # fragment's place. Statuses in the page's `noSwap` are told by our js.
        words = message or "That did not work. Reload the page and try again."
        return html(
            flash_messages((Flash("danger", words),)),
            status_code=status,
            headers={**(headers or {}), "HX-Retarget": "#flashes", "HX-Reswap": "outerHTML"},
        )
    if not _wants_page(request):
        return _problem(request, status, code, message, headers=headers, facts=facts)
    request_id = visit_of(request.scope).request_id if status >= 500 else None
    try:
        page = error_page(status, frame=frame_of(request), message=message, request_id=request_id)
    except AssetsMissing:  # without them no page can be made, this one neither
        words = f"{status}: {message or 'the request failed'}. Request {request_id or ''}".strip()
        return Response(words, status_code=status, headers=headers, media_type="text/plain")
    return html(page, status_code=status, headers=headers)


def _problem(
    request: Request[Any, Any, Any],
    status: int,
    code: str,
    message: str | None,
    *,
    headers: dict[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Response[Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": message or "The request failed; quote the request id to support.",
        "request_id": visit_of(request.scope).request_id,
        **(facts or {}),
    }
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def _fields_of(request: Request[Any, Any, Any], error: ValidationException) -> dict[str, str]:
    """Return the bad fields of a request, as `Invalid` has them; "" is the whole body."""
    found = error.extra if isinstance(error.extra, list) else []
    takes = request.route_handler.signature_model
    fields = {}
    for one in found:
        key, words = str(one.get("key", "")), str(one.get("message", ""))
        path = f".data.{key}" if one.get("source") == "body" else f".{key}"
        fields[key] = with_choices(words, takes, path)
    return fields


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    """Say whether a person looks at the answer; an API client and an event stream are none."""
    if request.scope["path"].startswith(API):
        return False
    accept = request.headers.get("accept", "*/*")
    return "text/html" in accept or ("*/*" in accept and "json" not in accept)
