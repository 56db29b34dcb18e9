"""What agentvoice costs, beside a bare relay that does the same work in the same run."""
