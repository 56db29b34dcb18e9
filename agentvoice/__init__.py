"""agentvoice."""
