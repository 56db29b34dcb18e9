"""What callers say while an agent speaks."""

from __future__ import annotations

from typing import Final

INTERRUPTIONS: Final = (
    "No, wait, make it four.",
    "Stop.",
    "Wait.",
    "No.",
    "Excuse me, can I say something?",
    "Hold on a second.",
    "Sorry, I meant Friday.",
    "Actually, make that eight o'clock.",
    "No no no, that is wrong.",
    "Hang on, what did you say?",
    "Can I speak to a person?",
    "I already told you my name.",
    "What was the price again?",
    "Could you repeat that please?",
    "That's not what I asked.",
    "Never mind, cancel it.",
    "Let me stop you there.",
    "Just a moment.",
    "How long will that take?",
    "I would like to change my booking.",
    "Do you have anything earlier?",
    "My number is five five five, one two three four.",
    "Please stop talking.",
    "Listen, I only have a minute.",
    "Is there a table outside?",
    "Yes, but only for two people.",
    "Okay, but can we do Saturday instead?",
    "Right, and what about the parking?",
    "Tomorrow.",
    "At seven thirty.",
    "Cancel that.",
    "Operator.",
    "We are five people now.",
    "Hello? Are you there?",
    "Skip that, please.",
    "I can't hear you.",
    "No thanks, I'm fine.",
    "That's enough, thank you.",
    "Which one is cheaper?",
    "Wait a minute, who is this?",
)
"""Somebody who wants the floor: the agent has to yield."""

BACKCHANNELS: Final = (
    "Mm-hm.",
    "Mhm.",
    "Uh-huh.",
    "Okay.",
    "Yeah.",
    "Yes.",
    "Right.",
    "Right, I see.",
    "I see.",
    "Sure.",
    "Got it.",
    "Okay, okay.",
    "Yeah, yeah.",
    "All right.",
    "Oh, okay.",
    "Great.",
    "Good.",
    "Hmm.",
    "Ah, I see.",
    "Of course.",
    "Okay, good.",
    "Yes, yes.",
    "Alright, thank you.",
    "Oh really?",
    "Very good.",
    "Oh, nice.",
    "Sounds good.",
    "That's fine.",
    "Makes sense.",
    "Perfect.",
    "Yep.",
    "Thank you.",
    "Uh-huh, sure.",
    "Okay, I understand.",
    "Cool.",
)
"""Somebody who listens, and says so: the agent has to go on."""

SIDE_TALK: Final = (
    "Did you take the dog out this morning, or shall I do it when I get back?",
    "The meeting was moved to three, so we have plenty of time for lunch.",
    "And then he said that he would never go there again, can you believe it?",
    "Put the bags over there, next to the door, and close the window please.",
    "In other news, the city council voted on Tuesday to extend the tram line to the harbour.",
    "Stop it, both of you, and finish your dinner before it gets cold.",
    "I think the blue one looks better, but ask your sister what she thinks.",
    "The next train to the airport leaves from platform nine in four minutes.",
    "Wait for me, I just have to find my keys, they were here a moment ago.",
    "Tomorrow will be cloudy with sunny spells, and some rain in the evening.",
)
"""Somebody else in the room, or a television: not said to the agent."""

AGENT: Final = (
    """
    Thank you for calling the Bella Vista restaurant. We are open every day from noon until eleven in the evening, and
    the kitchen takes the last orders at half past nine. Tonight the chef recommends the grilled sea bass with lemon and
    fennel, and there is a vegetarian menu of four courses, which changes with the season.
    """,
    """
    Your table is booked for two people on Thursday at seven, under the name of Johnson. There is a car park behind the
    house, which is free for our guests, and the tram stops right in front of the door. If somebody in your party has an
    allergy, please let the waiter know when you arrive, and the kitchen will see what it can do.
    """,
    """
    Let me tell you how the voucher works. You choose an amount, between twenty and two hundred euros, and we send it by
    mail or as a file that you can print yourself. It is valid for three years, and whoever receives it can use it in
    several parts, at lunch or at dinner, for food as well as for wine.
    """,
)
"""What the agent is saying meanwhile, over and over."""
