"""Embedded Redis: processes that start and leave together share one server, and stop it last."""

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from app.core.embedded.redis import EmbeddedRedis, _answers

USER = """
import sys
from pathlib import Path
from redis import Redis
from app.core.embedded.redis import EmbeddedRedis

sys.stdin.readline()
server = EmbeddedRedis(Path(sys.argv[1]))
print(Redis.from_url(server.url).info("server")["run_id"], flush=True)
sys.stdin.readline()
server.stop()
"""


def test_those_that_start_together_have_one_server() -> None:
    with tempfile.TemporaryDirectory(prefix="slipway-test-") as folder:
        users = [
            subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(USER), folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for user in users:
            user.stdin.write("\n")
            user.stdin.flush()
        servers = {user.stdout.readline() for user in users}
        for user in users:
            user.communicate("\n", timeout=20)
        assert len(servers) == 1
        assert [user.returncode for user in users] == [0] * 4
        assert not _answers(Path(folder).resolve() / "redis" / "redis.sock"), "nobody is left"


def test_who_leaves_first_does_not_stop_it_for_the_other() -> None:
    with tempfile.TemporaryDirectory(prefix="slipway-test-") as folder:
        one, two = EmbeddedRedis(Path(folder)), EmbeddedRedis(Path(folder))
        one.stop()
        assert _answers(two._socket)
        two.stop()
        assert not _answers(two._socket)
