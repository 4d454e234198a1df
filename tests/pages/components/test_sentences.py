"""What core says when something goes wrong or waits: every sentence that can come to a page is there in Chinese."""

from __future__ import annotations

import ast
import importlib
import inspect
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from core import errors
from core.discover.taxonomy import Kind
from core.errors import AppError, MediaError, QueryError, Sentence, StoreError, Unavailable
from core.ingest import inspecting, reasons, stored
from core.state import tables
from core.text import printable
from pages.components.telling import sentences, tell_in

CORE = Path(errors.__file__).parent
SOURCES = sorted(path for path in CORE.rglob("*.py"))
SAID = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, AppError)}
SAID |= {"Sentence"}
NEVER_ON_A_PAGE = (
    "__main__.py",
    "ads/commands.py",
    "doctor.py",
    "discover/calibrating.py",
    "encoders/words.py",  # its faults are in a file of the app itself
    "library/carry_commands.py",
    "library/commands.py",
    "library/machines.py",
    "library/move.py",
    "library/reembedding.py",
    "samples/__init__.py",
    "serving/bodies.py",
    "serving/breaks.py",
    "serving/routes.py",
    "serving/videos.py",
)
"""What only the command line, HTTP and who develops the app meet."""
PASSED_ON = {
    "error.sentence",
    "gone",
    "lacks",
    "problem.sentence",
    "sentence",
    "self._reading().sentence",
    "self.why",
    "kept",
}
PASSED_ON |= {"_lacks_bucket(settings) or ''", "_lacks_model(settings) or ''", "_unreadable(error)"}
PASSED_ON |= {"not_made('copy for the encoder', error)", "not_made('moment', error)", "not_made(what, error)"}
PASSED_ON |= {"not_made('playable copy', error)", "Sentence.unpacked(text)"}
"""Sentences that were made elsewhere."""
FRAGMENTS = {
    "clean_name": (1,),
    "not_made": (0,),
    "atomic": (1,),
    "translated": (0,),
    "_asked": (0, 1),
    "_invoke": (1, 2),
}
"""Calls that are given a part of a sentence, by the places of these."""


PARTS = {"holds", "instead", "kind", "subject.holds", "what"}
"""Names under which such a part is handed on."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in SOURCES:
        name = path.relative_to(CORE).as_posix()
        if name not in NEVER_ON_A_PAGE and name != "errors.py":
            yield name, ast.parse(path.read_text("utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


def constants(name: str, node: ast.expr) -> list[str] | None:
    """Return the texts that an argument can be: its own, or those of a constant of its module; None for others."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        ways = [constants(name, node.body), constants(name, node.orelse)]
        return None if None in ways else [text for way in ways for text in way or ()]
    of = node.value if isinstance(node, ast.Subscript) else node
    if not isinstance(of, ast.Name):
        return None
    module = importlib.import_module("core." + name.removesuffix(".py").replace("/", "."))
    value = getattr(module, of.id, None)
    if isinstance(value, dict):
        return list(value.values())
    return [value] if isinstance(value, str) else None


def said() -> Iterator[tuple[str, str]]:
    """Yield every template of core's sentences, with where it is said."""
    for name, tree in modules():
        for called, call in calls(tree):
            if called in SAID and isinstance(call.func, ast.Name) and call.args:
                for text in constants(name, call.args[0]) or ():
                    yield text, f"{name}:{call.lineno}"
            for place in FRAGMENTS.get(called, ()):
                if len(call.args) > place and isinstance(part := call.args[place], ast.Constant):
                    yield str(part.value), f"{name}:{call.lineno}"
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and function.name in FRAGMENTS:
                for part in function.args.defaults:
                    yield from ((text, f"{name}:{part.lineno}") for text in constants(name, part) or ())
    for node in ast.walk(ast.parse(inspect.getsource(inspecting))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(("a ", "an ")):
            yield node.value, "inspecting.py"
    for subject in (*tables.SUBJECTS.values(), *tables.SHARED.values()):
        yield subject.holds, "tables.py"
    yield stored.GONE, "stored.py"
    for kind in get_args(Kind):
        yield kind, "taxonomy.py"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_sentence_that_can_come_to_a_page_is_there_in_chinese_with_what_fills_it():
    wanted, table = dict(said()), sentences("zh")
    assert not {text: place for text, place in wanted.items() if text not in table}
    assert not table.keys() - wanted.keys(), "said by nobody any more"
    for text, chinese in table.items():
        assert fields(chinese) == fields(text), text


def test_core_says_nothing_that_could_not_be_looked_up():
    """A sentence that is put together before it is handed over has no template."""
    for name, tree in modules():
        for called, call in calls(tree):
            if called in SAID and isinstance(call.func, ast.Name) and call.args:
                first = call.args[0]
                if called == "Sentence" and ast.unparse(first) in PARTS:
                    continue  # a part of a sentence, which FRAGMENTS names where it is told
                known = constants(name, first) is not None or ast.unparse(first) in PASSED_ON
                assert known, f"{name}:{call.lineno}: give a template and values, not {ast.unparse(first)[:60]}"


def test_no_words_fill_a_sentence_but_those_that_can_be_looked_up():
    for name, tree in modules():
        for called, call in calls(tree):
            if called in SAID and isinstance(call.func, ast.Name):
                for keyword in call.keywords:
                    found = [text for text in literals(keyword.value) if any(map(str.islower, text))]
                    assert not found, f"{name}:{call.lineno}: say {found} as a Sentence"


def literals(node: ast.expr) -> Iterator[str]:
    """Yield the words that stand in an expression itself, not in what it calls."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from literals(part)


def test_a_sentence_is_its_text_and_knows_what_it_was_made_of():
    error = QueryError("{name!r} has {n:,} letters.", {"n": [1]}, name="Ann", n=1200)
    assert str(error) == f"{error}" == "'Ann' has 1,200 letters."
    assert error.sentence.template == "{name!r} has {n:,} letters."
    assert error.sentence.values == {"name": "Ann", "n": 1200}
    assert error.details == {"n": [1]}
    assert Sentence(error.sentence) is error.sentence
    assert Unavailable("{error}", 3, error=error).sentence.values["error"] is error.sentence
    assert str(MediaError("{curly} stays without values")) == "{curly} stays without values"


def test_a_kept_sentence_is_the_same_and_a_hostile_one_fills_nothing():
    inner = Sentence("The disk that holds {root} is full.", root="/data")
    outer = Sentence("{problem} Trying again {soon}.", problem=inner, soon=Sentence("now"))
    for kept in (Sentence.unpacked(outer.packed()), reasons.read(reasons.written(outer))):
        assert (kept, kept.template, kept.values) == (outer, outer.template, outer.values)
        assert isinstance(kept.values["soon"], Sentence)
    assert reasons.read("An old sentence: {with braces}.") == "An old sentence: {with braces}."
    assert reasons.written(Sentence("As it is.")) == "As it is."
    hostile = Sentence.unpacked({"text": "x", "says": "{a.__class__}", "with": {"a": "b"}})
    assert hostile == tell_in("zh", hostile) == "x"


def test_what_fills_a_sentence_is_made_printable_with_it():
    shown = printable(Sentence("“{title}” is gone.", title="a\u202eb\nc"))
    assert shown == "“ab c” is gone."
    assert shown.values == {"title": "ab c"}


@pytest.mark.parametrize(
    ("sentence", "chinese"),
    [
        (StoreError("The disk that holds {root} is full. Free some space and try again.", root="/d").sentence, "磁盘"),
        (reasons.again(Unavailable("TwelveLabs asks for fewer requests."), 65), "65 秒"),
        (reasons.of_end(MemoryError()), "内存"),
        (reasons.of_os(OSError(28, "No space left on device")), "磁盘"),
    ],
)
def test_sentences_are_told_in_chinese(sentence: Sentence, chinese: str):
    told = tell_in("zh", sentence)
    assert chinese in told
    assert tell_in("en", sentence) == sentence


def test_what_is_not_known_stays_as_it_is():
    assert tell_in("zh", "a file name.mp4") == "a file name.mp4"
    short = Sentence.unpacked(
        {"text": "Old words.", "says": "The disk that holds {root} is full. Free some space and try again.", "with": {}}
    )
    assert tell_in("zh", short) == "Old words."
