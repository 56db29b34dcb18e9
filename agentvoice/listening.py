"""The words of listeners: those who only show that they listen, and those who want the floor at once. By language.

They are what people say on the telephone, as recognisers write it, in lower case. Users add their own to a `Policy`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

Phrase: TypeAlias = tuple[str, ...]

_UNSPACED: Final = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Thai, kana and Han: scripts without blanks between words. Each character counts as half a word."""
_LETTER: Final = rf"(?:[^\W_{_UNSPACED}]|[\u0900-\u0963\u0966-\u097f])"
"""Also the vowel signs of Devanagari, which are no letters to `re`."""
_TOKEN: Final = re.compile(rf"[{_UNSPACED}]|{_LETTER}+(?:['’-]{_LETTER}+)*")


@dataclass(frozen=True, slots=True)
class Words:
    """What listeners say in one language."""

    backchannels: frozenset[str]
    stop_words: frozenset[str]


def _words(backchannels: str, stop_words: str) -> Words:
    """Take phrases that are separated by commas."""
    split = [frozenset(phrase.strip() for phrase in phrases.split(",")) for phrases in (backchannels, stop_words)]
    return Words(*split)


LANGUAGES: Final[Mapping[str, Words]] = {
    "en": _words(
        "mm, mhm, mm-hm, mmhm, mm-hmm, mhmm, mm hmm, mm hum, uh-huh, uhuh, uh huh, huh, hm, hmm, ah, oh, aha, "
        "yeah, yep, yes, yup, ok, okay, right, sure, alright, all right, great, good, cool, fine, nice, exactly, "
        "indeed, really, wow, thanks, perfect, lovely, super, wonderful, excellent, absolutely, definitely, "
        "correct, true, understood, i see, i know, i understand, got it, of course, thank you, very good, "
        "very nice, go on, sounds good, makes sense, make sense, that's fine, that's good, that's great, "
        "that's right, oh really",
        "stop, wait, no, hold, actually, sorry, excuse, pardon, hello, listen, hang, cancel, operator, help, pause",
    ),
    "de": _words(
        "mhm, hm, hmm, ähm, aha, ah, ach, ach so, ja, jo, ok, okay, gut, genau, klar, stimmt, richtig, sicher, "
        "alles klar, verstehe, ich verstehe, super, toll, prima, schön, danke, in ordnung, sehr gut, ja genau, "
        "natürlich, gerne",
        "stopp, stop, halt, warte, warten sie, moment, nein, nee, entschuldigung, hallo, verzeihung, falsch, "
        "hilfe, pause",
    ),
    "fr": _words(
        "mm, hm, hmm, ah, oui, ouais, d'accord, ok, okay, bien, très bien, bon, c'est bon, je vois, "
        "je comprends, merci, parfait, super, exactement, voilà, bien sûr, entendu, ça marche, tout à fait",
        "stop, attendez, attends, non, arrêtez, arrête, pardon, excusez-moi, allô, un instant, une seconde, "
        "annulez, aide",
    ),
    "es": _words(
        "mm, mhm, ajá, ah, sí, si, claro, vale, ok, okay, bien, muy bien, bueno, de acuerdo, entiendo, ya veo, "
        "gracias, perfecto, exacto, genial, por supuesto, eso es, ya",
        "para, pare, alto, espera, espere, no, perdón, perdone, disculpe, hola, un momento, oiga, cancelar, ayuda",
    ),
    "it": _words(
        "mm, mhm, ah, sì, si, ok, okay, va bene, bene, certo, capisco, ho capito, giusto, esatto, grazie, "
        "perfetto, d'accordo, benissimo, ottimo, bello",
        "fermo, ferma, aspetta, aspetti, no, scusa, scusi, mi scusi, pronto, un momento, un attimo, basta, "
        "annulla, aiuto",
    ),
    "pt": _words(
        "mm, uhum, ah, sim, ok, okay, certo, está bem, tá, tá bom, entendo, entendi, claro, obrigado, "
        "obrigada, perfeito, exato, ótimo, muito bem, pois, pois é",
        "pare, para, espera, espere, não, desculpa, desculpe, com licença, alô, um momento, um instante, "
        "cancelar, ajuda",
    ),
    "nl": _words(
        "mm, hm, hmm, ah, aha, ja, jawel, oké, ok, goed, prima, precies, juist, klopt, begrepen, ik snap het, "
        "ik begrijp het, dank u, dank je, bedankt, natuurlijk, mooi, top",
        "stop, wacht, nee, sorry, pardon, hallo, moment, een moment, even, luister, annuleren, help",
    ),
    "pl": _words(
        "mhm, hm, aha, no, tak, dobrze, dobra, okej, ok, jasne, rozumiem, świetnie, dziękuję, dokładnie, "
        "racja, oczywiście",
        "stop, czekaj, proszę czekać, nie, przepraszam, halo, chwila, chwileczkę, moment, anuluj, pomocy",
    ),
    "hi": _words(
        "हाँ, हां, जी, जी हाँ, ठीक, ठीक है, अच्छा, समझ गया, समझ गई, सही, बिल्कुल, धन्यवाद, ओके, हम्म",
        "रुको, रुकिए, नहीं, सुनो, सुनिए, माफ़ कीजिए, एक मिनट, हेलो, बस, मदद",
    ),
    "ja": _words(
        "はい, うん, ええ, ああ, へえ, そう, そうです, そうですか, そうですね, なるほど, わかりました, "
        "分かりました, オーケー, ありがとう",
        "待って, ちょっと待って, 止めて, いいえ, いや, 違います, すみません, もしもし, ストップ",
    ),
    "zh": _words(
        "嗯, 嗯嗯, 哦, 啊, 对, 对的, 是, 是的, 好, 好的, 行, 可以, 明白, 明白了, 知道了, 没问题, 谢谢",
        "等等, 等一下, 停, 不, 不是, 不对, 喂, 打断一下, 不好意思, 停一下",
    ),
}


def tokens(text: str) -> Phrase:
    """Return the words of a text, in lower case, without punctuation; characters where there are no blanks."""
    return tuple(_TOKEN.findall(text.lower().replace("’", "'")))


def count(said: Phrase) -> float:
    """Return how many words these are."""
    return sum(0.5 if re.match(rf"[{_UNSPACED}]", token) else 1 for token in said)


@lru_cache(maxsize=64)
def phrases(written: frozenset[str]) -> Mapping[str, tuple[Phrase, ...]]:
    """Return phrases by their first words, the longest first."""
    found: dict[str, list[Phrase]] = {}
    for phrase in filter(None, map(tokens, written)):
        found.setdefault(phrase[0], []).append(phrase)
    return {first: tuple(sorted(each, key=len, reverse=True)) for first, each in found.items()}


def without_repeats(said: Phrase) -> Phrase:
    """Return words without those that follow themselves: of "I, I, I" a recogniser means one."""
    return tuple(word for word, before in zip(said, (None, *said), strict=False) if word != before)


def consists_of(said: Phrase, written: frozenset[str]) -> bool:
    """Whether words are nothing but phrases out of these, one after the other."""
    return _after(said, written) == len(said)


def may_become(said: Phrase, written: frozenset[str]) -> bool:
    """Whether words are such phrases, the last of which may be unfinished: "right, I" of "right, I see"."""
    at = _after(said, written)
    rest = said[at:]
    return not rest or any(each[: len(rest)] == rest for each in phrases(written).get(rest[0], ()))


def _after(said: Phrase, written: frozenset[str]) -> int:
    """Return how many of the words, from the first, are phrases out of these."""
    known, at = phrases(written), 0
    while at < len(said):
        size = next((len(each) for each in known.get(said[at], ()) if said[at : at + len(each)] == each), 0)
        if not size:
            break
        at += size
    return at


def contains(said: Phrase, written: frozenset[str]) -> bool:
    """Whether one of these phrases is among words."""
    known = phrases(written)
    return any(said[at : at + len(each)] == each for at, word in enumerate(said) for each in known.get(word, ()))
