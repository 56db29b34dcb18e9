"""What became of scenarios, as JUnit's XML: what build servers read. After the schema of the Jenkins xUnit plugin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from .variations import Tried


def write_junit(path: Path, tried: Sequence[Tried]) -> None:
    """Write a suite for each file, and a case for each variation."""
    root = ET.Element("testsuites", name="agentvoice")
    for file, cases in groupby(sorted(tried, key=lambda each: each.path), key=lambda each: each.path):
        _suite(root, file, list(cases))
    ET.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(root: ET.Element, file: str, cases: Sequence[Tried]) -> None:
    failed = str(sum(not case.passed for case in cases))
    suite = ET.SubElement(root, "testsuite", name=file, tests=str(len(cases)), failures=failed, errors="0")
    for case in cases:
        name = f"{case.name} [seed {case.seed}]"
        place: dict[str, str] = {
            "classname": Path(file).stem,
            "file": file,
            "line": str(case.line),
            "time": f"{case.seconds:.3f}",
        }
        element = ET.SubElement(suite, "testcase", {"name": _legal(name), **place})
        if not case.passed:
            failure = ET.SubElement(element, "failure", message=_legal(case.failures[0]))
            failure.text = _legal("\n".join([*case.failures, "", case.account]))


def _legal(text: str) -> str:
    """Leave out what XML 1.0 (2.2, "Characters") does not allow."""
    return "".join(letter for letter in text if letter in "\t\n\r" or " " <= letter < "\ufffe")
