"""A call that was described elsewhere: by a curl command, or by an OpenAPI document. Pure."""

from app.flows.calls.filled import FilledCall
from app.flows.from_curl import from_curl
from app.flows.from_openapi import from_openapi


def described_call(text: str) -> FilledCall:
    """Return the parameters of the call. Raises BadCurl or BadOpenApi, which say what is amiss."""
    first = text.lstrip().removeprefix("$").split(maxsplit=1)
    is_curl = bool(first) and first[0].rpartition("/")[2] in {"curl", "curl.exe"}
    return from_curl(text) if is_curl else from_openapi(text)
