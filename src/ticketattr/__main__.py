"""`python -m ticketattr`."""

from .entrypoint.cli import main

main()
