"""The Content-Security-Policy of every page: our own origin, and nothing inline."""


def content_security_policy(
    *,
    extra_script: tuple[str, ...] = (),
    extra_frame: tuple[str, ...] = (),
    extra_connect: tuple[str, ...] = (),
) -> str:
    """Return the header's value; the extras are origins, for a page that needs a gateway's script.

    `style-src 'self'` also forbids `style="…"` in markup; styles set by script on an
    element's `.style` are allowed, which is what uPlot does.
    Source: W3C CSP Level 3, sections 6.1 and 6.7.3.
    """
    directives = {
        "default-src": ("'self'",),
        "script-src": ("'self'", *extra_script),
        "style-src": ("'self'",),
        "img-src": ("'self'", "data:"),
        "connect-src": ("'self'", *extra_connect),
        "frame-src": ("'self'", *extra_frame),
        "object-src": ("'none'",),
        "frame-ancestors": ("'none'",),
        "base-uri": ("'none'",),
        "form-action": ("'self'",),
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())
