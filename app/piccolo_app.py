"""The one Piccolo app: every table, and the migrations at the top level."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="slipway",
    migrations_folder_path=str(Path(__file__).parent.parent / "migrations"),
    table_classes=table_finder(
        modules=[
            "app.core.outbox",
            "app.core.turns",
            *(
                f"app.domain.{context}.tables"
                for context in (
                    "accounts",
                    "catalog",
                    "inventory",
                    "orders",
                    "billing",
                    "addresses",
                    "services",
                    "notices",
                    "audit",
                    "connections",
                    "machines",
                    "games",
                    "usage",
                    "devices",
                    "metal",
                )
            ),
            "app.flows.dryrun.tables",
            "app.flows.tables",
            "app.flows.triggers.tables",
            "app.flows.drafts.tables",
        ],
        exclude_imported=True,
    ),
    migration_dependencies=[],
    commands=[],
)
