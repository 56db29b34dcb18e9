"""What a caller's words mean: values for `Call.ask`, or a `ValueError` whose text says what is wanted.

    party = await self.call.ask("How many people?", whole_number(1, 20))
    phone = await self.call.ask("Which number?", phone_number, read_back=lambda n: f"That is {spaced(n)}, right?")

They understand English. Who corrects himself is understood: of "five, no, six" the six counts. Numbers and days need
the extra `answers`.
"""

from .correction import corrected as corrected
from .letters import spelled as spelled
from .numbers import phone_number as phone_number, spaced as spaced, whole_number as whole_number
from .one_of import one_of as one_of
from .when import day as day, time_of_day as time_of_day
from .yes_no import yes_or_no as yes_or_no

__all__ = [
    "corrected",
    "day",
    "one_of",
    "phone_number",
    "spaced",
    "spelled",
    "time_of_day",
    "whole_number",
    "yes_or_no",
]
