"""Make xterm.js do without `<style>` elements and `style="…"`, which our policy forbids.

What it would write into the elements goes into constructed style sheets, and what it would set
as an attribute is set by script: both are ours to do under `style-src 'self'`.
"""

from app.core.errors import Refusal

_SHEET = """\
const slipwaySheet = (page) => {
  const sheet = new page.defaultView.CSSStyleSheet();
  const place = page.createElement("template");
  page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet];
  Object.defineProperty(place, "textContent", { set: (text) => sheet.replaceSync(text) });
  place.remove = () => {
    page.adoptedStyleSheets = page.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(place);
  };
  return place;
};
"""
_REPLACED = {
    'this._styleElement=n.mainDocument.createElement("style")': (
        "this._styleElement=slipwaySheet(n.mainDocument)"
    ),
    'this._dimensionsStyleElement=this._document.createElement("style")': (
        "this._dimensionsStyleElement=slipwaySheet(this._document)"
    ),
    'this._themeStyleElement=this._document.createElement("style")': (
        "this._themeStyleElement=slipwaySheet(this._document)"
    ),
    't.setAttribute("style",`${t.getAttribute("style")||""}${e};`)': "t.style.cssText+=`${e};`",
}
_FORBIDDEN = ('createElement("style")', 'setAttribute("style"')


class TerminalChanged(Refusal):
    code = "assets.terminal_changed"

    def __init__(self, text: str, times: int) -> None:
        super().__init__(
            f"xterm.js has {text} {times} times where it is replaced once. "
            "Look how this release writes its styles, and change app/cli/terminal.py.",
        )
        self.text = text
        self.times = times


def without_style_elements(module: bytes) -> bytes:
    """Return the module of xterm.js, mended; raises TerminalChanged unless each is there once."""
    script = module.decode()
    for text, instead in _REPLACED.items():
        if (times := script.count(text)) != 1:
            raise TerminalChanged(text, times)
        script = script.replace(text, instead)
    for text in _FORBIDDEN:
        if times := script.count(text):
            raise TerminalChanged(text, times)
    return (_SHEET + script).encode()
