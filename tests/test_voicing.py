"""How speech shall sound, as a value."""

from agentvoice.voicing import NATURAL, Voicing


def test_what_a_voicing_leaves_open_is_as_everybody_elses() -> None:
    everybody = Voicing("ann", "en", speed=1.1)

    assert Voicing("bob", volume=0.5).over(everybody) == Voicing("bob", "en", speed=1.1, volume=0.5)
    assert NATURAL.over(everybody) == everybody
    assert everybody.over(NATURAL) == everybody
