"""Who draws flows: one place says it for every route of the designer."""

from app.domain.accounts.roles import Permission
from app.domain.accounts.views import AccountView
from app.flows.drafts.views import Designer
from app.routes.security.guards import Guard, requires

DESIGNERS: tuple[Guard, ...] = (requires(Permission.FLOWS_CHANGE),)
DRAFT = "/designer/drafts/{draft:uuid}"


def designer_of(me: AccountView) -> Designer:
    return Designer(me.id, me.name or me.email)
