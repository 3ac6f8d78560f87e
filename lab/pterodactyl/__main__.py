"""Run it: `python -m lab.pterodactyl --port 8081`; it prints its address and keys."""

from lab.pterodactyl.cli import main

main()
