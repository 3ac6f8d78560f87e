"""Where Piccolo looks for the engine and the tables."""

from piccolo.conf.apps import AppRegistry

from app.core.database import engine

DB = engine
APP_REGISTRY = AppRegistry(apps=["app.piccolo_app"])
