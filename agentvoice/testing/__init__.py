"""Doubles of everything that a call talks to, and clocks that jump."""
