"""Made-up facts for previews and for checking a template before it is saved.

Each template has one sample per way that its mail can turn out, so that every branch of a
template is rendered at least once. Addresses are from the ranges kept for documentation
(RFC 5737, RFC 3849).
"""

from typing import Any

_COMMON = {"company": "Harbour Hosting", "portal_url": "https://portal.example/orders/1042"}
_SERVER = {
    **_COMMON,
    "portal_url": "https://portal.example/services/1042",
    "name": "Robin Example",
    "order_number": 1042,
    "product": "Dock 8 · 8 cores, 64 GB, 2 × 1 TB NVMe",
    "hostname": "web1.example.com",
}

SAMPLES: dict[str, dict[str, dict[str, Any]]] = {
    "service-delivered": {
        "Password and control panel": {
            **_SERVER,
            "os": "Debian 13",
            "ipv4": "203.0.113.24",
            "extra_ipv4": ["203.0.113.25", "203.0.113.26"],
            "ipv6": "2001:db8:42::1",
            "ipv6_network": "2001:db8:42::/64",
            "ssh_username": "root",
            "ssh_port": 22,
            "password": "sample-Kiel-4417-anchor",
            "panel": "Webmin",
            "panel_url": "https://web1.example.com:10000/",
            "links": [
                {"title": "First steps on your server", "url": "https://docs.example/first-steps"},
                {"title": "Back up your data", "url": "https://docs.example/backups"},
            ],
        },
        "SSH keys, IPv6 only, other port": {
            **_SERVER,
            "os": "AlmaLinux 10",
            "ipv6": "2001:db8:42::1",
            "ssh_username": "root",
            "ssh_port": 2222,
            "ssh_keys": [
                "laptop SHA256:9sFm0vJ2m1Yw1tPq0bYw8cC2oLr5xDk3h0a6zUeW4iE",
                "build server SHA256:uK7gQ2Vd0r4s6nXb8cJ1yTm3pLw5aFz9eHiR0oGqSxM",
            ],
        },
    },
    "service-reinstalled": {
        "Password": {
            **_SERVER,
            "os": "Debian 13",
            "ipv4": "203.0.113.24",
            "ipv6": "2001:db8:42::1",
            "ssh_username": "root",
            "has_password": True,
        },
        "SSH key or password, IPv6 only, other port": {
            **_SERVER,
            "os": "AlmaLinux 10",
            "ipv6": "2001:db8:42::1",
            "ssh_username": "root",
            "ssh_port": 2222,
            "has_password": True,
            "ssh_keys": ["laptop SHA256:9sFm0vJ2m1Yw1tPq0bYw8cC2oLr5xDk3h0a6zUeW4iE"],
        },
        "SSH key alone": {
            **_SERVER,
            "os": "Debian 13",
            "ipv4": "203.0.113.24",
            "ssh_username": "root",
            "ssh_keys": ["laptop SHA256:9sFm0vJ2m1Yw1tPq0bYw8cC2oLr5xDk3h0a6zUeW4iE"],
        },
    },
    "service-to-install": {
        "IPv4 and IPv6": {
            **_SERVER,
            "os": "Debian 13",
            "iso": "debian-13.1.0-amd64-netinst.iso",
            "ipv4": "203.0.113.24",
            "ipv4_prefix": 24,
            "ipv4_netmask": "255.255.255.0",
            "ipv4_gateway": "203.0.113.1",
            "extra_ipv4": ["203.0.113.25"],
            "ipv6": "2001:db8:42::1",
            "ipv6_network": "2001:db8:42::/64",
            "ipv6_gateway": "fe80::1",
            "nameservers": ["9.9.9.9", "149.112.112.112"],
            "console_url": "https://portal.example/services/1042/console",
        },
        "IPv4 alone, no console": {
            **_SERVER,
            "portal_url": "",
            "os": "Your own system",
            "iso": "netboot.iso",
            "ipv4": "203.0.113.24",
            "ipv4_netmask": "255.255.255.255",
        },
        "IPv6 alone": {
            **_SERVER,
            "os": "Debian 13",
            "iso": "debian-13.1.0-amd64-netinst.iso",
            "ipv6": "2001:db8:42::1",
            "ipv6_network": "2001:db8:42::/64",
        },
    },
    "game-delivered": {
        "A new client": {
            **_SERVER,
            "product": "Minecraft 4",
            "hostname": "mc.example.com",
            "game": "Paper",
            "address": "fra1.play.example:25565",
            "panel_url": "https://panel.example/server/1a7ce997",
            "username": "robin-4f2a9c01",
            "password": "sample-Kiel-4417-anchor",
        },
        "Who has an account there": {
            **_SERVER,
            "product": "Minecraft 4",
            "hostname": "mc2.example.com",
            "game": "Paper",
            "address": "fra1.play.example:25566",
            "panel_url": "https://panel.example/server/2b8df008",
            "username": "robin-4f2a9c01",
        },
    },
    "custom-delivered": {
        "With all": {
            **_SERVER,
            "product": "Object storage 1 TB",
            "hostname": "backup.example.com",
            "url": "https://s3.example/backup",
            "username": "AKIA-SAMPLE",
            "password": "sample-Kiel-4417-anchor",
            "details": [{"label": "Region", "value": "eu-north"}],
        },
        "Nothing but the order": {**_SERVER, "product": "Object storage 1 TB"},
    },
    "order-received": {
        "Held, card or transfer": {
            **_SERVER,
            "invoice_number": "2026-00042",
            "lines": [
                {"label": "Dock 8, one month", "amount": "€129.00"},
                {"label": "Set-up", "amount": "€49.00"},
                {"label": "VAT 19 %", "amount": "€33.82"},
            ],
            "total": "€211.82",
            "invoice_url": "https://portal.example/invoices/42",
            "pay_by": "1 March 2026, 02:30 UTC",
            "bank": {
                "holder": "Harbour Hosting",
                "iban": "DE02 1203 0000 0000 2020 51",
                "bic": "BYLADEM1001",
                "reference": "2026-00042",
            },
        },
        "Card only": {
            **_SERVER,
            "invoice_number": "2026-00042",
            "total": "€211.82",
            "invoice_url": "https://portal.example/invoices/42",
        },
    },
    "payment-received": {
        "Card": {
            **_SERVER,
            **_COMMON,
            "invoice_number": "2026-00042",
            "amount": "€211.82",
            "method": "card",
            "paid_at": "1 March 2026, 02:04 UTC",
            "invoice_url": "https://portal.example/invoices/42",
        },
    },
    "order-waiting-for-stock": {
        "Paid": {**_SERVER, **_COMMON, "paid": "€211.82"},
        "Amount not given": {**_SERVER, **_COMMON},
    },
    "order-refunded": {
        "With a reason": {
            **_SERVER,
            **_COMMON,
            "amount": "€211.82",
            "balance": "€211.82",
            "reason": "No server of this kind became free within five days.",
        },
        "Without": {**_SERVER, **_COMMON, "amount": "€211.82"},
    },
    "staff-notice": {
        "With a link": {
            **_COMMON,
            "title": "Order 1042 waits for a server",
            "paragraphs": [
                "No server with 64 GB of memory is available in Kiel.",
                "Add one, or refund the order.",
            ],
            "link": "https://portal.example/admin/orders/1042",
        },
        "Title only": {**_COMMON, "title": "The mail server answers again"},
    },
}
