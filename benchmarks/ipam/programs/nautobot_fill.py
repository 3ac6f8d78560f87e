"""Lay prefixes out in Nautobot, filled in part: `nautobot_fill.py NETWORKS TOKEN`, as JSON.

NETWORKS are pairs of a network and how many addresses of it are taken; prints their ids in order.
"""

import ipaddress
import json
import os
import random
import sys

import nautobot

BATCH = 2_000


def main(networks: list[tuple[str, int]], token: str) -> list[str]:
    nautobot.setup(os.environ["NAUTOBOT_CONFIG"])
    # Django's models cannot be imported before that.
    from django.contrib.auth import get_user_model
    from nautobot.extras.models import Status
    from nautobot.ipam.models import IPAddress, Prefix
    from nautobot.users.models import Token

    user = get_user_model().objects.create_superuser("bench", "bench@example.com", token)
    Token.objects.create(user=user, key=token)
    active = Status.objects.get(name="Active")
    ids = []
    for network, taken in networks:
        prefix = Prefix(prefix=network, status=active, type="pool")
        prefix.validated_save()
        hosts = [str(host) for host in ipaddress.ip_network(network).hosts()]
        random.Random(1).shuffle(hosts)
        length = network.partition("/")[2]
        rows = [
            IPAddress(
                host=host, mask_length=int(length), ip_version=4, type="host", status=active,
                parent=prefix,
            )
            for host in hosts[:taken]
        ]  # fmt: skip
        IPAddress.objects.bulk_create(rows, batch_size=BATCH)
        ids.append(str(prefix.pk))
    return ids


print(json.dumps(main(json.loads(sys.argv[1]), sys.argv[2])))
