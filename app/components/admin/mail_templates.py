"""The list of mail templates."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.mail_list import MAILS, TEMPLATES
from app.components.badge import badge
from app.components.card import card
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.notices.views import TemplateView

_COLUMNS = (
    Column("Template"),
    Column("Subject"),
    Column("Version", narrow=True),
    Column("Last change", narrow=True),
)


def mail_templates_page(
    templates: Sequence[TemplateView], *, may_edit: bool, frame: PageFrame
) -> h.Element:
    """Return the list; its rows lead to the editor for those who `may_edit`."""
    rows = [
        Row(
            cells=(
                one.name,
                one.source.subject,
                badge("As shipped") if one.is_shipped else badge("Edited", "accent"),
                h.span[moment(one.updated_at), h.br, one.updated_by]
                if one.updated_by
                else moment(one.updated_at),
            ),
            href=f"{TEMPLATES}/{one.code}" if may_edit else None,
        )
        for one in templates
    ]
    return admin_page(
        "Mail templates",
        page_head(
            "Mail templates",
            eyebrow=h.a(href=MAILS)["Mail"],
            lede="The words of every mail that goes out. A change holds from the next mail on.",
        ),
        card(table(_COLUMNS, rows, caption="Mail templates"), flush=True),
        frame=frame,
        active="mail-templates",
    )
