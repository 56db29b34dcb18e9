"""The web application: carriers ring here."""
