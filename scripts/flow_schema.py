"""Write docs/flow-schema.json anew: `.venv/bin/python scripts/flow_schema.py`."""

from pathlib import Path

from app.flows.schema import published

if __name__ == "__main__":
    Path("docs/flow-schema.json").write_text(published())
