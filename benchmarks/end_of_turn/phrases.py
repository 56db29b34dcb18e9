"""What callers say. A bar is where they may pause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Where a pause falls."""

    CONJUNCTION = "after a conjunction"
    HESITATION = "after a hesitation"
    NUMBER = "within a number"
    CLAUSE = "at a clause's end"
    RECORDED = "recorded"


def _lines(block: str) -> Sequence[str]:
    return [line.strip() for line in block.strip().splitlines()]


WHOLE: Final = _lines("""
    Yes.
    No, thank you.
    Tomorrow morning.
    Sarah Johnson.
    I would like to book a table for two.
    Can you tell me when you open tomorrow?
    My order has not arrived yet.
    I need to change my appointment.
    That sounds good to me.
    What does it cost?
    It was delivered to the wrong address.
    Could you send me the invoice again?
    I'm calling about my internet connection.
    At half past seven, please.
    How long will that take?
    I think that was all.
    The blue one in medium.
    Do you have anything earlier in the day?
    It stopped working last night.
    Please cancel my subscription.
    We will be four adults and a child.
    My flight was cancelled this morning.
    Where can I park my car?
    Two large pizzas with mushrooms.
    I already tried to restart it.
    You can reach me on this number.
    I'd rather speak to a person.
    The delivery should come on Monday.
""")

PAUSED: Final[Mapping[Kind, Sequence[str]]] = {
    Kind.CONJUNCTION: _lines("""
        I would like a table for two and | a parking space, if you have one.
        I tried to log in this morning, but | it says my password is wrong.
        I'm calling because | my order has not arrived yet.
        We can come on Friday or | on Saturday in the evening.
        I paid for it last week, so | I do not understand this invoice.
        I need a room for three nights and | breakfast for two people.
        The light is green, but | nothing happens when I press the button.
        I would take the earlier train if | there are seats by the window.
        Please send it to | my office in the city.
        Can I speak to someone about | the price of the repair?
    """),
    Kind.HESITATION: _lines("""
        I would like to come on, um, | Thursday in the afternoon.
        It is about, uh, | the washing machine that I bought from you.
        My name is, um, | Peter Miller.
        I need, uh, | two tickets for the concert.
        We are looking for, um, | a flat with three rooms.
        The problem is, uh, | that it makes a strange noise.
        I think it was, um, | the second of March.
        I have, uh, | two children with me.
        Could you, um, | tell me where to change trains?
        It says, uh, | that the card is not valid.
    """),
    Kind.NUMBER: _lines("""
        My number is five five five, | two three four, | nine eight seven six.
        It's oh one seven two, | four four one, | nine oh three.
        The order number is seven seven, | three one, | nine four.
        My customer number is four eight one, | six six two, | five zero.
        You can call me on six one two, | five five five, | oh one four two.
        The card ends in four four one two, | eight eight, | one seven.
    """),
    Kind.CLAUSE: _lines("""
        Hello, this is Sarah Johnson. | I have a question about my bill.
        I ordered a book two weeks ago. | It has not arrived.
        I was in your shop yesterday. | Nobody could help me there.
        We have a table for tonight. | We would like to come an hour later.
        My internet is down. | The box has a red light.
        I want to cancel my order. | I found it cheaper somewhere else.
        I have an appointment on Monday. | Can I move it to Tuesday?
        The package came this morning. | One of the glasses is broken.
        I got your letter. | I think there is a mistake in it.
        I need a taxi to the airport. | We have four large bags.
    """),
}
