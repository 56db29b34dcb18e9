"""The other half of the speech server: it understands what is said to it."""
