"""Make subject, HTML and text of a mail out of a template and its values."""

import difflib
import traceback
from functools import lru_cache
from typing import Any

import msgspec
from jinja2 import Template, TemplateSyntaxError
from jinja2.exceptions import SecurityError, TemplateError, UndefinedError

from app.domain.notices.errors import PART_NAMES, BadTemplate
from app.domain.notices.markup import BadMarkup, styled
from app.domain.notices.samples import SAMPLES
from app.domain.notices.sandbox import HTML, TEXT, Sandbox, budget
from app.domain.notices.syntax import BadSyntax, check_syntax, find_unknown, meter
from app.domain.notices.values import SECRETS, complete, names_of

LONGEST_TEMPLATE = {"subject": 500, "body_html": 64_000, "body_text": 64_000}
LONGEST_OUTPUT = {"subject": 250, "body_html": 256_000, "body_text": 128_000}


class Source(msgspec.Struct, frozen=True):
    """The three templates of one kind of mail, as an admin writes them."""

    subject: str
    body_html: str
    body_text: str


class Rendered(msgspec.Struct, frozen=True):
    """A mail as it is sent: a one-line subject, a whole HTML document, plain text."""

    subject: str
    html: str
    text: str


def render(code: str, source: Source, values: dict[str, Any]) -> Rendered:
    """Return the mail; `values` are those of `values.complete`. Raises `BadTemplate`.

    About 3 ms the first time and 1 ms after that; at most some 200 ms when a template
    spends its whole budget.
    """
    return Rendered(
        subject=render_part(code, "subject", source.subject, values),
        html=render_part(code, "body_html", source.body_html, values),
        text=render_part(code, "body_text", source.body_text, values),
    )


def render_part(code: str, part: str, template: str, values: dict[str, Any]) -> str:
    """Render one of `subject`, `body_html`, `body_text`; raises `BadTemplate`."""
    names = names_of(code, part)
    seen = {name: values[name] for name in names}
    try:
        with budget():
            compiled = _compile(part, template, names, SECRETS.get(code, frozenset()))
            text = compiled.render(seen)
        text = text.replace("\0", "")
        result = styled(text) if part == "body_html" else text
    except BadTemplate:
        raise
    except UndefinedError as error:
        raise BadTemplate(
            part, _suggest(str(error), names), line=_line_of(error, part), available=names
        ) from error
    except (SecurityError, TemplateError) as error:
        raise BadTemplate(part, str(error), line=_line_of(error, part)) from error
    except BadMarkup as error:
        raise BadTemplate(part, str(error)) from error
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        # A value put to a use that its kind does not have: `{{ order_number|first }}`.
        reason = f"This cannot be rendered: {error}."
        raise BadTemplate(part, reason, line=_line_of(error, part)) from error
    if part == "subject":
        result = " ".join(result.split())
    if len(result) > LONGEST_OUTPUT[part]:
        raise BadTemplate(
            part, f"It comes to {len(result):,} characters of {LONGEST_OUTPUT[part]:,}."
        )
    if not result.strip():
        raise BadTemplate(part, "It comes out empty.")
    return result


def check_source(code: str, source: Source) -> dict[str, BadTemplate]:
    """Return the first problem of each part, rendered with every sample; empty when it is good."""
    problems: dict[str, BadTemplate] = {}
    for part in PART_NAMES:
        for values in sample_values(code).values():
            try:
                render_part(code, part, getattr(source, part), values)
            except BadTemplate as problem:
                problems[part] = problem
                break
    return problems


def sample_values(code: str) -> dict[str, dict[str, Any]]:
    """Return label → complete sample values of a template."""
    return {label: complete(code, values) for label, values in SAMPLES[code].items()}


@lru_cache(maxsize=64)
def _compile(part: str, template: str, names: tuple[str, ...], secrets: frozenset[str]) -> Template:
    longest = LONGEST_TEMPLATE[part]
    if len(template) > longest:
        raise BadTemplate(
            part, f"It is {len(template):,} characters long; {longest:,} is the most."
        )
    sandbox: Sandbox = HTML if part == "body_html" else TEXT
    try:
        tree = sandbox.parse(template)
        check_syntax(tree, parts=sandbox.parts, filters=frozenset(sandbox.filters))
        unknown = find_unknown(tree, frozenset(names) | sandbox.parts)
        if unknown is not None:
            if unknown.name in secrets:
                reason = f"“{unknown.name}” is secret, and a subject is not: put it in the body."
                raise BadTemplate(part, reason, line=unknown.lineno)
            reason = _suggest(f"“{unknown.name}” is not known here.", names)
            raise BadTemplate(part, reason, line=unknown.lineno, available=names)
        meter(tree)
        code = sandbox.compile(tree, name=part, filename=_file_of(part))
    except BadSyntax as error:
        raise BadTemplate(part, error.reason, line=error.line) from error
    except TemplateSyntaxError as error:
        raise BadTemplate(
            part, error.message or "This is no template.", line=error.lineno
        ) from error
    except (SyntaxError, RecursionError, MemoryError) as error:
        # Python's own limits on what lies within one another.
        raise BadTemplate(part, "Too much lies within one another.") from error
    return sandbox.template_class.from_code(sandbox, code, sandbox.make_globals(None))


def _file_of(part: str) -> str:
    return f"<mail template {part}>"


def _line_of(error: BaseException, part: str) -> int | None:
    """Return the template's line, which Jinja puts into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == _file_of(part)]
    return lines[-1] if lines else None


def _suggest(reason: str, names: tuple[str, ...]) -> str:
    """Add the known name that was probably meant."""
    missing = reason.partition("“")[2].partition("”")[0]
    close = difflib.get_close_matches(missing, names, n=1)
    return f"{reason} Did you mean “{close[0]}”?" if close else reason
