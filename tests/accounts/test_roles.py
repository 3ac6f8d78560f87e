"""Roles: a client has no permission, an owner has all, and nobody but owners manages people."""

from app.domain.accounts.roles import PERMISSIONS, Permission, Role, allows, is_staff


def test_every_role_has_a_row() -> None:
    assert set(PERMISSIONS) == set(Role)


def test_a_client_may_do_nothing_of_the_admin_side() -> None:
    assert not any(allows(Role.CLIENT, permission) for permission in Permission)
    assert not is_staff(Role.CLIENT)


def test_an_owner_may_do_everything() -> None:
    assert all(allows(Role.OWNER, permission) for permission in Permission)


def test_all_others_enter_but_do_not_manage_people() -> None:
    for role in set(Role) - {Role.CLIENT, Role.OWNER}:
        assert is_staff(role)
        assert not allows(role, Permission.ACCOUNTS_CHANGE)


def test_money_is_changed_by_finance_and_owners_only() -> None:
    may = {role for role in Role if allows(role, Permission.INVOICES_CHANGE)}
    assert may == {Role.FINANCE, Role.OWNER}


def test_who_changes_something_may_read_it() -> None:
    for role in Role:
        for permission in PERMISSIONS[role]:
            area, _, verb = permission.value.partition(".")
            if verb == "change" and area != "runs":
                assert allows(role, Permission(f"{area}.read")), (role, permission)
