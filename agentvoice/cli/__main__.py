"""`python -m agentvoice.cli`."""

from agentvoice.cli import main

main()
