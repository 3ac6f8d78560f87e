"""The designer's routes, under `/designer`."""

from litestar.types import ControllerRouterHandler

from app.routes.designer.aid import Aid
from app.routes.designer.canvas import Canvas
from app.routes.designer.forms import Forms
from app.routes.designer.gestures import Gestures
from app.routes.designer.home import Home
from app.routes.designer.people import People
from app.routes.designer.publishing import Publishing
from app.routes.designer.runs import Overlays
from app.routes.designer.trials import Trials

DESIGNER: tuple[ControllerRouterHandler, ...] = (
    Home,
    Aid,
    Canvas,
    Forms,
    Gestures,
    Overlays,
    People,
    Publishing,
    Trials,
)
"""Every handler of the designer's side, for the composition root."""
