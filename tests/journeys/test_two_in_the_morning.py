"""The mission: a client orders a server at 2 AM and has access, and nobody was woken."""

import asyncssh

from tests.journeys.conftest import Provider, password_in


async def test_from_order_to_working_access_without_a_human_hand(provider: Provider) -> None:
    async with provider.client() as portal:
        # 1. Order and payment: product, options, checkout; what was chosen is held meanwhile.
        order = await provider.order(
            portal, "metal-s", os="debian-12", extra_ipv4="2", panel="cockpit"
        )
        assert order.state == "awaiting_payment"
        assert order.hold_expires_at is not None
        assert order.server_name is not None
        await provider.pay(portal, order)

        # 2 to 4. Allocation, addresses, installation.
        order = await provider.delivered(order.id)
        assert order.state == "delivered"
        server = await provider.server(order.server_name)
        assert (server["state"], server["ram_gb"] >= 32) == ("active", True)
        assert [node for _, node, _, _ in await provider.steps(order.id)] == [
            "paid", "attempts", "server", "addresses", "port", "install", "health", "service",
            "mail",
        ]  # fmt: skip

        # 5. Notification: the mail says everything that one needs.
        (mail,) = await provider.mails(order.account_email, order.hostname)
        address = await provider.address(order.id)
        for fact in (address, order.hostname, "root", "Cockpit", f"/services/{order.service_id}"):
            assert fact in mail

        # The password in the mail works.
        async with asyncssh.connect(
            address, provider.stack.lab.ssh_port, username="root", password=password_in(mail),
            known_hosts=None, config=None, client_keys=None,
        ) as machine:  # fmt: skip
            answer = await machine.run("hostname", check=True)
        assert str(answer.stdout).strip() in (order.hostname, order.hostname.partition(".")[0])

        # The portal shows the service as active.
        page = await portal.http.get(f"/services/{order.service_id}")
        assert page.status_code == 200
        assert address in page.text
        assert password_in(mail) not in page.text


async def test_with_a_key_there_is_no_password(provider: Provider) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519", comment="ada@laptop")
    public = key.export_public_key().decode().strip()
    async with provider.client() as portal:
        order = await provider.order(portal, os="ubuntu-24.04", ssh_key=public)
        await provider.pay(portal, order)
        order = await provider.delivered(order.id)
    (mail,) = await provider.mails(order.account_email, order.hostname)
    assert key.get_fingerprint() in mail
    assert "assword:" not in mail
    async with asyncssh.connect(
        await provider.address(order.id), provider.stack.lab.ssh_port, username="root",
        client_keys=[key], known_hosts=None, config=None,
    ) as machine:  # fmt: skip
        assert (await machine.run("hostname")).exit_status == 0


async def test_every_system_on_sale_can_be_delivered(provider: Provider) -> None:
    async with provider.client() as portal:
        orders = [
            await provider.order(portal, os=system, datacentre=datacentre)
            for system, datacentre in (("almalinux-9", "fra1"), ("debian-13", "fra1"))
        ]
        for order in orders:
            await provider.pay(portal, order)
        for order in orders:
            assert (await provider.delivered(order.id)).state == "delivered"
