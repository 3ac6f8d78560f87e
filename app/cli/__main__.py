"""`python -m app.cli` is the `slipway` command."""

from app.cli import main

main()
