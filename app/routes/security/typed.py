"""What was typed into a form."""

from typing import Any

from litestar import Request


async def typed(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return field → text of a posted form; of several values of a field, the last.

    NUL characters are dropped: PostgreSQL's text cannot hold them. Files are left out.
    """
    form = await request.form()
    return {
        name: value.replace("\0", "")
        for name, value in form.multi_items()
        if isinstance(value, str)
    }
