"""What of a text can be spoken: no markdown, no emoji, no code, no tags. Works as the text streams in.

The text is read one character at a time, so where a model's tokens begin and end cannot matter; only plain words,
which are most of it, are taken whole. What is held back is only what cannot be judged yet: an asterisk until its
neighbour is known, white space until a word follows it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator
from contextlib import suppress
from types import GeneratorType
from typing import Final, TypeAlias, cast

from .markup import NO_MARKUP, Insert, Markup

_Reader: TypeAlias = Generator[None, str, str]
"""Is sent one character after another, `""` at the end; returns the first that it did not take."""

_SPOKEN_SYMBOLS: Final = frozenset("&+=%@#°*/×÷<>§€$£¥")
"""Signs that a voice reads as words."""
_ESCAPABLE: Final = frozenset("\\`*_{}[]()<>#+-.!|~")
OPENERS: Final = "“‘«„([{¿¡「『（【《"
"""What stands before the words that it belongs to."""
_CLOSING: Final = frozenset(",.!?;:…")
_UNHEARD_ELEMENTS: Final = frozenset({"think", "thinking", "script", "style"})
"""Elements whose content is not for the ear either; the first two are how reasoning models think aloud."""
_TAG_LIMIT: Final = 256
_SOUND_LIMIT: Final = 16
_URL_LIMIT: Final = 2048
_SYMBOL_BLOCKS: Final = (
    (0x2190, 0x21FF),  # arrows
    (0x2300, 0x23FF),  # technical: watches, keys
    (0x2460, 0x27BF),  # boxes, weather, chess, dingbats
    (0x2900, 0x297F),  # more arrows
    (0x2B00, 0x2BFF),  # stars, arrows
    (0x20D0, 0x20FF),  # what turns a digit into a key cap
    (0xFE00, 0xFE0F),  # variation selectors
    (0x1F000, 0x1FAFF),  # emoji
)
_JOINERS: Final = "\u200c\u200d"
_STRETCHES: Final = re.compile(r"[A-Za-z0-9]+|.", re.DOTALL)
"""Plain words, and each other character by itself."""


def speakable(text: str, markup: Markup = NO_MARKUP) -> str:
    """Return what can be spoken of a whole text: the words, without the markup."""
    stream = Speakable(markup)
    return stream.feed(text) + stream.finish()


def is_spoken(character: str) -> bool:
    """Return whether a voice says anything for this character."""
    return character.isalnum() or character in _SPOKEN_SYMBOLS


class Speakable:
    """Clean a text for speech while it streams in. What comes out never ends in white space."""

    def __init__(self, markup: Markup = NO_MARKUP) -> None:
        """Let through what `markup` names: beside the text, in `inserts`."""
        self._markup = markup
        self._pending: list[tuple[str, str]] = []  # what stands before the next word: its name (sounds have none), tag
        self._length = 0  # of all that came out
        self.inserts: list[Insert] = []
        """Markup so far, by its place in all that came out."""
        self._out: list[str] = []
        self._held = ""  # white space and punctuation that only matter if a word follows
        self._last = ""  # the last character that came out
        self._line_begins = True
        self._dropped = False  # something was left out since the last character came out
        self._brackets = 0
        self._reader = cast("GeneratorType[None, str, str]", self._read())
        next(self._reader)

    def feed(self, text: str) -> str:
        """Take more text; return what is now known to be speakable."""
        for stretch in _STRETCHES.findall(text):
            if len(stretch) > 1 and self._reader.gi_yieldfrom is None:  # in the midst of nothing that means more
                self._line_begins = False
                self._emit(self._held, stretch)
            else:
                for character in stretch:
                    self._reader.send(character)
        return self._take()

    def finish(self) -> str:
        """Return the rest. Feed no more."""
        with suppress(StopIteration):
            self._reader.send("")
        self._place(sound=True)  # a break, or another speed, is nothing without a word to come
        return self._take()

    def _take(self) -> str:
        out = "".join(self._out)
        self._out.clear()
        return out

    # ------------------------------------------------------------------ coming out

    def _say(self, character: str) -> None:
        self._line_begins = False
        if is_spoken(character) or (self._last and not self._held and character not in OPENERS):
            self._emit(self._held, character)
        elif self._dropped and character in _CLOSING and self._held.isspace():
            self._emit("", character)  # "Done 👍." has a full stop, not a blank and a full stop
        else:
            self._held += character

    def _emit(self, before: str, words: str) -> None:
        self._out += [before, words]
        self._length += len(before)
        self._place()
        self._length += len(words)
        self._held, self._last, self._dropped = "", words[-1], False

    def _place(self, *, sound: bool = False) -> None:
        """Place the markup that was waiting for the next word; with `sound`, only what is heard without one."""
        at = self._length
        for name, tag in self._pending:
            if name and not sound:
                self.inserts.append(Insert(at, at, tag, name if name in self._markup.lasting else ""))
            elif not name:
                self.inserts.append(Insert(at, at, f" {tag}" if sound else f"{tag} "))
        self._pending.clear()

    def _say_as(self, words: str, wire: str) -> None:
        """Say words for which the provider is sent something else."""
        while words and not is_spoken(words[0]):
            words = words[1:]
        if not words:
            return self._drop()
        self._line_begins = False
        self._emit(self._held, words)
        self.inserts.append(Insert(self._length - len(words), self._length, wire))
        return None

    def _space(self, character: str) -> None:
        blank = "\n" if character in "\n\r\u2028\u2029" else " "
        self._line_begins |= blank == "\n"
        if self._held[-1:].isspace():
            self._held = self._held[:-1] + max(self._held[-1], blank, key="\n".__eq__)
        elif self._held or self._last:
            self._held += blank

    def _drop(self) -> None:
        self._dropped = True

    def _literally(self, text: str) -> None:
        for character in text:
            self._space(character) if character.isspace() else self._say(character)

    @property
    def _before(self) -> str:
        """The character before the present one, as far as words are concerned."""
        return (self._held or self._last)[-1:]

    # ------------------------------------------------------------------ going in

    def _read(self) -> _Reader:
        character = yield
        while character:
            if character.isspace():
                self._space(character)
                character = yield
            elif character in "*_~`":
                character = yield from self._read_run(character)
            elif character in "<[]!\\|":
                character = yield from self._read_bracketed(character)
            elif self._line_begins and character in "#>-+•=:":
                character = yield from self._read_line_mark(character)
            else:
                self._say(character) if self._has_sound(character) else self._drop()
                character = yield
        return ""

    def _has_sound(self, character: str) -> bool:
        if character < "\u007f":
            return character >= " "
        if character in _JOINERS:  # they shape Persian and Indic words, and glue emoji together
            return not self._held and unicodedata.category(self._last or " ")[0] in "LM"
        if unicodedata.category(character)[0] == "C":  # also half a surrogate pair, which no wire can carry
            return False
        return not any(first <= ord(character) <= last for first, last in _SYMBOL_BLOCKS)

    def _read_run(self, mark: str) -> _Reader:
        """Emphasis and code: marks that come in runs."""
        before, line_begins, length = self._before, self._line_begins, 0
        character = mark
        while character == mark:
            length += 1
            character = yield
        if mark == "`" and length >= 3:
            return (yield from self._read_fence(character))
        if self._is_text(mark, length, before, character) and not (line_begins and mark == "*"):
            self._literally(mark * length)
        else:
            self._drop()
        return character

    @staticmethod
    def _is_text(mark: str, length: int, before: str, after: str) -> bool:
        """Tell a sign from a mark of emphasis: 2 * 3, snake_case, ~5."""
        if length > 1 or mark == "`":
            return mark == "_" and before.isalnum() and after.isalnum()
        if mark == "*":
            alone = before.isspace() and (after.isspace() or not after)
            return alone or (before.isdigit() and after.isdigit())
        if mark == "_":
            return before.isalnum() and after.isalnum()
        return after.isdigit()

    def _read_fence(self, character: str) -> _Reader:
        """Leave out a block of code, to its end or to the end of the text."""
        ticks = 0
        while character and ticks < 3:
            ticks = ticks + 1 if character == "`" else 0
            character = yield
        while character == "`":
            character = yield
        self._drop()
        self._space("\n")
        return character

    def _read_line_mark(self, mark: str) -> _Reader:
        """Headings, bullets, quotations and rules, which stand at the beginning of a line."""
        length, character = 0, mark
        while character == mark:
            length += 1
            character = yield
        bullet = mark in "#-+" and (character.isspace() or not character)
        rule = mark in "-=" and length >= 3
        column = mark in ":-" and character in {":", "-", "|"}  # |:--|--:| in a table
        if bullet or rule or column or mark in ">•":
            self._drop()
        else:
            self._literally(mark * length)
        return character

    def _read_bracketed(self, mark: str) -> _Reader:
        if mark == "|":  # between the cells of a table
            self._drop()
            begins = self._line_begins
            self._space(" ")
            self._line_begins = begins
            return (yield)
        character = yield
        match mark:
            case "<" if character == "<":
                return (yield from self._read_phonemes())
            case "<" if character.isalpha() or character in {"/", "!", "|", "?"}:
                return (yield from self._read_tag(character))
            case "!" if character == "[":
                return character  # a picture: its description can be spoken
            case "[":
                return (yield from self._read_reference(character))
            case "]":
                linked, self._brackets = self._brackets > 0, max(0, self._brackets - 1)
                self._drop()
                return (yield from self._read_address()) if linked and character == "(" else character
            case "\\":
                if character and character in _ESCAPABLE:
                    self._say(character)
                    return (yield)
                return character
        self._say(mark)
        return character

    def _read_tag(self, character: str) -> _Reader:
        """Leave out a tag; give back what only began like one. An address in angle brackets is spoken."""
        seen = ""
        while character and character not in "<>\n" and len(seen) < _TAG_LIMIT:
            seen += character
            character = yield
        if character != ">":
            self._literally("<" + seen)
            return character
        if ("@" in seen or "://" in seen) and " " not in seen:
            self._literally(seen)
            return (yield)
        self._drop()
        name = seen.rstrip("/").split(maxsplit=1)[0].lower()
        if name in self._markup.points | self._markup.lasting and seen.isprintable():
            self._pending.append((name, f"<{seen}>"))
            return (yield)
        if name in self._markup.spans and seen.isprintable():
            return (yield from self._read_span(f"<{seen}>", f"</{name}>"))
        if name not in _UNHEARD_ELEMENTS:
            return (yield)
        end, tail = f"</{name}>", ""
        while tail != end:
            character = yield
            if not character:
                return ""
            tail = (tail + character.lower())[-len(end) :]
        return (yield)

    def _read_span(self, opening: str, closing: str) -> _Reader:
        """Read an element with words in it to its end; without one, or with too much in it, it is text."""
        seen = character = ""
        while not seen.lower().endswith(closing):
            character = yield
            seen += character
            if not character or len(seen) > _TAG_LIMIT:
                self._literally(speakable(seen))
                return (yield) if character else ""
        words = " ".join(speakable(seen[: -len(closing)]).split())
        self._say_as(words, opening + words + closing)
        return (yield)

    def _read_phonemes(self) -> _Reader:
        """After `<<`: a word by its sounds, `<<m|ɛ|t>>`."""
        seen = character = ""
        while not seen.endswith(">>"):
            character = yield
            if not character or character.isspace() or character == "<" or len(seen) > _TAG_LIMIT:
                self._literally("<" + speakable("<" + seen))  # none, but there may be a tag in it
                return character
            seen += character if self._has_sound(character) else ""
        sounds = seen[:-2].replace("|", "")
        self._say_as(sounds, f"<<{seen}" if self._markup.phonemes else sounds)
        return (yield)

    def _read_reference(self, character: str) -> _Reader:
        """After `[`: leave out the number of a note, `[1]` or `[^2]`; else the words are spoken, the brackets not."""
        seen = ""
        while character and (character.isdigit() or character == "^") and len(seen) < 5:
            seen += character
            character = yield
        word = ""
        while self._markup.sounds and not seen and character.isalpha() and len(word) < _SOUND_LIMIT:
            word += character
            character = yield
        self._drop()
        if word.lower() in self._markup.sounds and character == "]":
            self._pending.append(("", f"[{word}]"))
            return (yield)
        self._literally(word)
        self._brackets += 1
        if seen and character != "]":
            self._literally(seen)
        return character

    def _read_address(self) -> _Reader:
        """After `](`: leave out where the link leads."""
        seen, depth = "(", 1
        while depth:
            character = yield
            seen += character
            if not character or len(seen) > _URL_LIMIT:
                self._literally("(" + speakable(seen[1:]))
                return (yield) if character else ""
            depth += {"(": 1, ")": -1}.get(character, 0)
        return (yield)
