"""The HTML of a mail: checked, written anew, and styled within its elements.

Mail clients drop style sheets, so the layout's rules are put on the elements by css-inline;
its rules for small and dark screens stay in a sheet for the clients that read one. The
parser within css-inline is recursive and ends the process on HTML some thousand elements
deep; so it is only given what `tidy` has written: known elements, closed in order, at most
`DEEPEST` within one another.
"""

from functools import cache
from html import escape
from html.parser import HTMLParser

import css_inline

from app.domain.notices.sandbox import FOLDER

DEEPEST = 60
VOID = frozenset({"br", "hr", "img", "meta", "base", "col"})
ELEMENTS = VOID | frozenset(
    {"html", "head", "title", "style", "body", "div", "span", "p", "a", "h1", "h2", "h3", "h4"}
    | {"table", "caption", "colgroup", "thead", "tbody", "tfoot", "tr", "td", "th"}
    | {"ul", "ol", "li", "dl", "dt", "dd", "strong", "b", "em", "i", "u", "s", "small", "sub"}
    | {"sup", "code", "pre", "blockquote", "center", "font", "section", "article", "header"}
    | {"footer", "main", "address"}
)
SCHEMES = ("http://", "https://", "ssh://", "mailto:", "tel:", "#", "data:image/")


class BadMarkup(ValueError):
    """HTML that mail clients could not show; the message says which element."""


class _Tidy(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            raise BadMarkup(f"The element <{tag}> does not work in mail.")
        if tag == "style":
            attrs = [("data-css-inline", "ignore")]
        self.out.append(f"<{tag}{''.join(_attribute(tag, *one) for one in attrs)}>")
        if tag in VOID:
            return
        self.open.append(tag)
        if len(self.open) > DEEPEST:
            raise BadMarkup(f"More than {DEEPEST} elements lie within one another at <{tag}>.")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        last = self.open[-1] if self.open else None
        if tag != last:
            inner = f"<{last}> is still open there" if last else "nothing is open there"
            raise BadMarkup(f"</{tag}> does not fit: {inner}.")
        self.open.pop()
        self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        raw = bool(self.open) and self.open[-1] == "style"
        self.out.append(data.replace("<", "") if raw else escape(data, quote=False))

    def unknown_decl(self, data: str) -> None:
        raise BadMarkup(f"<![{data[:20]} does not work in mail.")


def _attribute(tag: str, name: str, value: str | None) -> str:
    if name.startswith("on"):
        raise BadMarkup(f"The attribute {name} of <{tag}> does not work in mail.")
    address = (value or "").strip().lower()
    if name in {"href", "src"} and not address.startswith(SCHEMES):
        raise BadMarkup(f"The {name} of <{tag}> must be a whole address, such as https://….")
    return f' {escape(name)}="{escape(value or "")}"'


def tidy(html: str) -> str:
    """Return the document as known elements in order; comments are left out.

    Raises `BadMarkup` for an unknown element, one that is not closed, and scripts.
    """
    parser = _Tidy()
    parser.feed(html)
    parser.close()
    if parser.open:
        raise BadMarkup(f"<{parser.open[-1]}> is opened and not closed.")
    return "<!doctype html>" + "".join(parser.out)


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(
        load_remote_stylesheets=False,
        keep_style_tags=True,
        keep_at_rules=True,
        extra_css=(FOLDER / "layout.css").read_text(),
    )


def styled(html: str) -> str:
    """Return `tidy(html)` with the layout's rules on its elements; about a millisecond."""
    return _inliner().inline(tidy(html))
