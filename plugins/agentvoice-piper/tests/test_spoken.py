import pytest

from agentvoice_piper._spoken import spoken


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Mr.", "mister"),
        ("(Dr.", "(doctor"),
        ("e.g.,", "for example,"),
        ("$5.50,", "5 dollars 50,"),
        ("€1", "1 euro"),
        ("£1,200.", "1,200 pounds."),
        ("$3.00", "3 dollars"),
        ("$3.05", "3 dollars 5"),
        ("555-0123,", "5 5 5, 0 1 2 3,"),
        ("212-555-0123?", "2 1 2, 5 5 5, 0 1 2 3?"),
    ],
)
def test_what_would_be_read_wrongly_is_spelled_out(written: str, read: str) -> None:
    assert spoken(written) == read


@pytest.mark.parametrize(
    "token", ["Sure.", "7:30", "42", "no.", "drum.", "Mr", "—", "...", '"yes"', "10-12", "$", "st."]
)
def test_everything_else_is_read_as_it_is_written(token: str) -> None:
    assert spoken(token) == token
