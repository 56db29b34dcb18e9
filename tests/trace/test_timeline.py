"""The page: one file that needs nothing else."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agentvoice.trace.folder import complete
from agentvoice.trace.picture import Figure
from agentvoice.trace.report import Report
from agentvoice.trace.timeline import heading

FACTS = {
    "call_id": "c1",
    "agent": "",
    "seconds": 150.0,
    "ended_by": "caller",
    "response_ms": None,
    "turns": [],
    "barge_ins": [],
    "stale_frames": 2,
    "holes": 1,
    "words_error": None,
}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def text(completed: Path) -> str:
    return (completed / "timeline.html").read_text()


def test_the_page_asks_nobody_for_anything(text: str) -> None:
    page = Page(text)
    addresses = [
        value for _, attributes in page.tags for name, value in attributes.items()
        if name in {"src", "href", "xlink:href", "srcset", "action"}
    ]  # fmt: skip

    assert all(address.startswith("data:") for address in addresses)
    assert all(address.startswith("data:") for address in re.findall(r"url\((?!#)([^)]*)\)", text))
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert "@import" not in text


def test_the_browser_is_told_to_let_nothing_in(text: str) -> None:
    (policy,) = [one["content"] for one in Page(text).of("meta") if "http-equiv" in one]

    assert policy.startswith("default-src 'none'")


def test_the_page_plays_the_recording_itself(text: str) -> None:
    (sound,) = Page(text).of("audio")

    assert sound["src"].startswith("data:audio/wav;base64,UklGR")


def test_there_are_three_scales_and_the_words_are_shown_first(text: str) -> None:
    page = Page(text)

    assert [one["data-level"] for one in page.of("section")] == ["overview", "words", "detail"]
    assert [one["data-level"] for one in page.of("section") if "hidden" not in one] == ["words"]
    assert [one["value"] for one in page.of("button") if one.get("aria-pressed") == "true"] == ["words"]


def test_every_row_tells_the_script_its_time_and_scale(text: str) -> None:
    rows = [one for one in Page(text).of("g") if one.get("class") == "row"]

    assert len(rows) > 5
    assert all(float(one["data-to"]) > float(one["data-from"]) for one in rows)
    assert all(float(one["data-scale"]) > 0 and float(one["data-height"]) > 0 for one in rows)


def test_no_two_things_on_the_page_have_one_id(text: str) -> None:
    ids = [attributes["id"] for _, attributes in Page(text).tags if "id" in attributes]

    assert len(ids) == len(set(ids))


def test_every_colour_that_is_asked_for_exists(text: str) -> None:
    assert set(re.findall(r"var\(--([a-z-]+)\)", text)) <= set(re.findall(r"--([a-z-]+):#", text))


def test_words_cannot_break_out_of_the_page(left: Path) -> None:
    trace = (left / "trace.jsonl").read_text()
    (left / "trace.jsonl").write_text(trace.replace("Hello,", "<script>alert(1)</script>").replace("demo-1", "<b>"))
    complete(left, png=False)
    text = (left / "timeline.html").read_text()

    assert "<script>alert" not in text
    assert "<b>" not in text


def test_without_a_recording_there_is_nothing_to_play(left: Path) -> None:
    (left / "call.wav").unlink()
    complete(left, png=False)
    page = Page((left / "timeline.html").read_text())

    assert "src" not in page.of("audio")[0]
    assert ["hidden" in one for one in page.of("span") if one.get("class") == "playback"] == [True]


def test_the_head_says_what_matters(completed: Path) -> None:
    head = heading(Report(json.loads((completed / "report.json").read_text())))

    assert head.title == "Call demo-1"
    assert head.subtitle == "Receptionist · 34 s · 4 turns · the agent hung up"
    assert [figure.name for figure in head.figures] == [
        "median answer", "barge-in to silence", "words wrong where cut", "stale frames", "holes",
    ]  # fmt: skip
    assert all(figure.good for figure in head.figures)


def test_the_head_leaves_out_what_did_not_happen_and_points_at_what_should_not() -> None:
    head = heading(Report(FACTS))

    assert head.subtitle == "2.5 min · 0 turns · the caller hung up"
    assert head.figures == [Figure("2", "", "stale frames", good=False), Figure("1", "", "holes", good=False)]
    assert heading(Report({**FACTS, "ended_by": "", "agent": "A"})).subtitle == "A · 2.5 min · 0 turns"
