"""Words that come as phonemes (`<<m|ɛ|t>>`), respelled so that any engine reads them nearly so.

Engines read letters, and espeak reads the signs of the phonetic alphabet aloud by their names. The spelling is the one
that American dictionaries use for readers without phonetics: `<<k|aɪ|t>>` is "kight".
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

PHONEMES: Final = re.compile(r"<<(?P<phonemes>[^<>\s]+)>>")
"""Phonemes in a transcript: one token, without spaces."""

_SPELLINGS: Final = {
    "ɑɹ": "ar", "aɪ": "igh", "aʊ": "ow", "eɪ": "ay", "oʊ": "oh", "əʊ": "oh", "ɔɪ": "oy", "tʃ": "ch", "dʒ": "j",
    "i": "ee", "ɪ": "i", "ᵻ": "i", "e": "ay", "ɛ": "e", "æ": "a", "a": "ah", "ɑ": "ah", "ɒ": "o", "ɔ": "aw", "o": "oh",
    "ʊ": "oo", "u": "oo", "ʉ": "oo", "ʌ": "u", "ə": "u", "ɐ": "u", "ɚ": "er", "ɝ": "er", "ɜ": "er", "y": "ew",
    "ø": "er", "œ": "er", "ʃ": "sh", "ʒ": "zh", "θ": "th", "ð": "th", "ŋ": "ng", "ɲ": "ny", "j": "y", "ɹ": "r",
    "ʁ": "r", "ɾ": "d", "ɡ": "g", "ɣ": "g", "x": "kh", "ç": "h", "ɬ": "l", "ɫ": "l", "ʎ": "ly", "β": "v", "ʍ": "wh",
    "c": "k", "q": "k",
}  # fmt: skip
_SHORT: Final = "ʌəɐɛɪæ"
_SIGNS: Final = re.compile("|".join(sorted(_SPELLINGS, key=len, reverse=True)) + r"|[a-z]", re.IGNORECASE)


def respell(text: str) -> str:
    """Return a text with its phonemes as letters. What is no sound of its own, such as stress, is left out."""
    return PHONEMES.sub(lambda found: _letters(found["phonemes"]), text)


def _letters(phonemes: str) -> str:
    plain = "".join(sign for sign in unicodedata.normalize("NFC", phonemes) if sign not in "|ˈˌːˑ")
    signs = _SIGNS.findall(plain.replace("ɜɹ", "ɜ"))
    spelled = [_SPELLINGS.get(sign, sign) for sign in signs]
    for n, (vowel, consonant, after) in enumerate(zip(signs, spelled[1:], spelled[2:], strict=False)):
        if vowel in _SHORT and len(consonant) == 1 and after[0] in "aeiou" and consonant not in "aeiou":
            spelled[n + 1] = consonant * 2  # the first vowel of "buter" would be long
    if signs[-1:] == ["ə"]:
        spelled[-1] = "a"
    return "".join(spelled)
