"""Turn an operation of an OpenAPI document into an HTTP call's parameters. Pure.

Credentials are left out, with a note that says so: they belong into a connection.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from yarl import URL

from app.core.redact import names_secret
from app.flows.calls.filled import FilledCall, literal
from app.flows.calls.openapi_document import (
    ApiDocument,
    BadOpenApi,
    Operation,
    mapping,
    read_document,
)

SHOWN = 12
_WANTED = re.compile(r"\s*(?:(?P<method>[A-Za-z]+)\s+(?P<path>/\S*)|(?P<id>[\w.\-]+))\s*\n")
_FORM = "application/x-www-form-urlencoded"


def from_openapi(text: str) -> FilledCall:
    """Return the parameters of one call. Raises BadOpenApi.

    The first line names the operation, as `POST /servers` or by its operationId; below it is the
    document, OpenAPI 3 or Swagger 2, as JSON or YAML. A document with one operation needs no such
    line. What is required is filled with the document's examples, or with values of its types.
    """
    found = _WANTED.match(text)
    document = read_document(text[found.end() :] if found else text)
    operation = _chosen(document, found)
    return _Filling(document, operation).call()


def _chosen(document: ApiDocument, wanted: re.Match[str] | None) -> Operation:
    all_of_it = list(document.operations())
    if wanted is None:
        fits = all_of_it
    elif wanted["id"]:
        fits = [one for one in all_of_it if one.said.get("operationId") == wanted["id"]]
    else:
        name = f"{wanted['method'].upper()} {wanted['path']}"
        fits = [one for one in all_of_it if one.name == name]
    if len(fits) == 1:
        return fits[0]
    names = [one.name for one in all_of_it]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    if not names:
        raise BadOpenApi("it has no operation")
    raise BadOpenApi(
        "name one of its operations on a line before it: " + ", ".join(names[:SHOWN]) + more
    )


class _Filling:
    """One operation on its way to a call."""

    def __init__(self, document: ApiDocument, operation: Operation) -> None:
        self.document = document
        self.operation = operation
        self.notes: list[str] = []

    def call(self) -> FilledCall:
        path, query, headers = self._sorted()
        params: dict[str, Any] = {"url": literal(self._address(path))}
        if self.operation.method != "GET":
            params["method"] = self.operation.method
        if query:
            params["query"] = literal(query)
        params |= self._body(headers)
        if headers:
            params["headers"] = literal(headers)
        self._about_credentials()
        return FilledCall(params, tuple(self.notes))

    def _sorted(self) -> tuple[str, dict[str, Any], dict[str, str]]:
        """Return the path with what is known of it, and the query and headers that are required."""
        path, may_take = self.operation.path, []
        query: dict[str, Any] = {}
        headers: dict[str, str] = {}
        for one in self._parameters():
            name, where = str(one.get("name", "")), one.get("in")
            if where in {"path", "query", "header", "cookie"} and (
                names_secret(name) or where == "cookie"
            ):
                self._note(f"{name} is a credential: keep it in a connection.")
            elif where == "path":
                path = self._in_path(path, name, one)
            elif where in {"query", "header"} and not one.get("required"):
                may_take.append(name)
            elif where == "query":
                query[name] = self._value(one)
            elif where == "header" and name.lower() not in {"accept", "content-type"}:
                headers[name] = _text(self._value(one))
        if may_take:
            self._note(f"It may take also: {', '.join(may_take)}.")
        return path, query, headers

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _parameters(self) -> Iterator[Mapping[str, Any]]:
        """Yield the parameters; the operation's own stand for those of its path."""
        found: dict[tuple[Any, Any], Mapping[str, Any]] = {}
        for said in (self.operation.shared, self.operation.said):
            given = said.get("parameters")
            for one in given if isinstance(given, list) else []:
                read = self.document.resolved(one)
                found[read.get("name"), read.get("in")] = read
        yield from found.values()

    def _value(self, parameter: Mapping[str, Any]) -> Any:
        if "example" in parameter:
            return parameter["example"]
        for named in mapping(parameter.get("examples")).values():
            return self.document.resolved(named).get("value")
        # Swagger 2 has what is in a schema beside the name.
        return self.document.example(parameter.get("schema", parameter))

    def _in_path(self, path: str, name: str, parameter: Mapping[str, Any]) -> str:
        known = {"example", "examples", "default", "enum"}
        if not known & (set(parameter) | set(self.document.resolved(parameter.get("schema")))):
            self._note(f"Put a value in place of {{{name}}} in the URL.")
            return path
        return path.replace(f"{{{name}}}", _text(self._value(parameter)))

    def _address(self, path: str) -> str:
        base = self._server()
        if not base.startswith(("http://", "https://")):
            self._note("The document does not say where the API is: choose a connection to it.")
            return (base.strip("/") + path).lstrip("/")
        try:
            url = URL(base)
        except ValueError as error:
            raise BadOpenApi(f"{base} is no URL ({error})") from error
        if url.user is not None:
            self._note("The address signs in: keep user name and password in a connection.")
            base = str(url.with_user(None))
        return base.rstrip("/") + path

    def _server(self) -> str:
        whole = self.document.whole
        if self.document.is_swagger:
            schemes = whole.get("schemes")
            schemes = schemes if isinstance(schemes, list) and schemes else ["https"]
            scheme = "https" if "https" in schemes else schemes[0]
            host, base = whole.get("host"), str(whole.get("basePath", ""))
            return f"{scheme}://{host}{base}" if host else base
        for said in (self.operation.said, self.operation.shared, whole):
            servers = said.get("servers")
            if isinstance(servers, list) and servers:
                first = mapping(servers[0])
                url = str(first.get("url", ""))
                for name, variable in mapping(first.get("variables")).items():
                    url = url.replace(f"{{{name}}}", _text(mapping(variable).get("default", "")))
                return url
        return ""

    def _body(self, headers: dict[str, str]) -> dict[str, Any]:
        """Return body and how it is written; sets a content type of its own in `headers`."""
        kind, value = self._swagger_body() if self.document.is_swagger else self._content()
        if not kind:
            return {}
        if kind.startswith("multipart/"):
            raise BadOpenApi(f"{self.operation.name} sends {kind}, which an HTTP call does not")
        if kind == _FORM:
            return {"body": literal(value), "body_as": "form"}
        if kind == "application/json" or kind.endswith("+json"):
            if kind != "application/json":
                headers["Content-Type"] = kind
            return {"body": literal(value), "body_as": "json"}
        headers["Content-Type"] = kind
        is_xml = kind.endswith(("/xml", "+xml"))
        text = value if isinstance(value, str) else ""
        self._note(f"Write the body: it is {kind}.")
        return {"body": literal(text), "body_as": "xml" if is_xml else "text"}

    def _content(self) -> tuple[str, Any]:
        content = mapping(
            self.document.resolved(self.operation.said.get("requestBody")).get("content")
        )
        kinds = {str(kind).partition(";")[0].strip().lower(): kind for kind in content}
        kind = _preferred(list(kinds))
        if not kind:
            return "", None
        media = mapping(content[kinds[kind]])
        return kind, self._value(media | {"schema": media.get("schema", {})})

    def _swagger_body(self) -> tuple[str, Any]:
        takes = self.operation.said.get("consumes", self.document.whole.get("consumes"))
        takes = [str(one).lower() for one in takes] if isinstance(takes, list) else []
        form: dict[str, Any] = {}
        for one in self._parameters():
            if one.get("in") == "body":
                return _preferred(takes) or "application/json", self._value(one)
            if one.get("in") == "formData" and one.get("required"):
                form[str(one.get("name"))] = self._value(one)
        return (
            (_preferred([kind for kind in takes if "json" not in kind]) or _FORM, form)
            if form
            else ("", None)
        )

    def _about_credentials(self) -> None:
        wanted = self.operation.said.get("security", self.document.whole.get("security"))
        names = (
            [name for one in wanted for name in mapping(one)] if isinstance(wanted, list) else []
        )
        if names:
            self._note(f"It wants credentials ({', '.join(names)}): keep them in a connection.")


def _preferred(kinds: list[str]) -> str:
    """Return the content type to send: JSON where it is taken, then a form, then the first."""
    json = [kind for kind in kinds if kind == "application/json" or kind.endswith("+json")]
    form = [kind for kind in kinds if kind == _FORM]
    return next(iter((*json, *form, *kinds)), "")


def _text(value: Any) -> str:
    """Return a value as a URL or a header has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
