"""The edge as one Litestar plugin."""

from collections.abc import Callable

from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.plugins import InitPlugin

from app.core.errors import Refusal
from app.routes.security.bearer import provide_caller
from app.routes.security.csrf import CsrfMiddleware
from app.routes.security.errors import break_down, refuse, reject
from app.routes.security.frame import provide_account, provide_frame, provide_me
from app.routes.security.headers import add_headers
from app.routes.security.request_id import RequestIdMiddleware
from app.routes.security.visit import Edge


class SecurityPlugin(InitPlugin):
    """Adds the edge to an application.

    - the dependencies `account` (`AccountView | None`), `me` (`AccountView`), `frame`
      (`PageFrame`), `caller` (`Caller`, of the API);
    - CSRF tokens on every unsafe method, but under `/webhooks/`, `/netboot/` and `/api/v1/`;
    - security headers, request ids, and the answers to refusals and errors.
    """

    def __init__(self, edge: Callable[[], Edge]) -> None:
        self._edge = edge

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.state["edge"] = self._edge
        app_config.middleware = [RequestIdMiddleware(), CsrfMiddleware(), *app_config.middleware]
        app_config.before_send = [add_headers, *app_config.before_send]
        app_config.dependencies = {
            "account": Provide(provide_account),
            "me": Provide(provide_me),
            "caller": Provide(provide_caller),
            "frame": Provide(provide_frame),
            **app_config.dependencies,
        }
        app_config.exception_handlers = {
            Refusal: refuse,
            HTTPException: reject,
            Exception: break_down,
            **app_config.exception_handlers,
        }
        return app_config
