"""Contract checks: what every plugin of a kind, and every double, has to keep."""
