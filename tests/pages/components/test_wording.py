"""All words people read are in one table: no sentence in the pages escapes it, and none in it is left over."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.discover import taxonomy
from core.encoders import bedrock, clip, clip_models, local, twelvelabs
from core.encoders.percepts import _WORDS
from core.languages import _LANGUAGES
from pages.components.chinese import CHINESE
from pages.components.wording import ENGLISH, Template, clock, elapsed, language_word, plain, say
from tests.pages.support import open_page, readable, shown

PAGES = Path(__file__).parents[3] / "pages"
TABLES = ("wording.py", "wording_insight.py", "chinese.py", "chinese_insight.py")
SOURCES = sorted(path for path in PAGES.rglob("*.py") if path.name not in TABLES)
NOT_CHINESE = {"Moodreel", "Qdrant", "Edge", "English", "local", "S3", "KB", "MB", "GB", "Me", "v"}
"""What stands in Latin letters on a Chinese page: names, units, and the language one can change to."""
READ = ("label", "body", "text", "help", "placeholder", "value", "alt")
UNREAD = ("html", "container", "fragment", "form", "set_page_config", "logo", "switch_page")
"""Calls of st whose texts are names or markup."""


def calls(source: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source.read_text("utf-8"))) if isinstance(node, ast.Call))


def said() -> Iterator[tuple[str, set[str]]]:
    """Yield the keys that pages say, "*" for what is filled in, and the names of the values given."""
    for source in SOURCES:
        for call in calls(source):
            if isinstance(call.func, ast.Name) and call.func.id == "say":
                for key in keys(call.args[0]):
                    yield key, {keyword.arg or "" for keyword in call.keywords}


def keys(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*keys(node.body), *keys(node.orelse)]
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)]
    return []


def forms(key: str, table: dict[str, Template] = ENGLISH) -> tuple[str, ...]:
    return (table[key],) if isinstance(table[key], str) else table[key]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_what_pages_say_is_in_the_table_with_the_values_it_needs():
    for key, values in said():
        if "*" in key:
            assert any(one.startswith(key.split("*")[0]) for one in ENGLISH), key
            continue
        for form in forms(key):
            assert fields(form) <= values, key


def test_nothing_in_the_table_is_left_over():
    literals = {
        node.value
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    prefixes = {key.split("*")[0] for key, _ in said() if "*" in key}
    ours = {"time.seconds", "time.minutes"}
    left = {key for key in ENGLISH if key not in literals | ours and not key.startswith(tuple(prefixes))}
    assert not left


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_words_for_people_stand_in_the_pages_themselves(source):
    for call in calls(source):
        name = call.func
        if not (isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name) and name.value.id == "st"):
            continue
        if name.attr in UNREAD:
            continue
        read = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg in READ)]
        for node in read:
            for text in words(node):
                assert not any(letter.isalpha() for letter in text), f"{source.name}:{node.lineno}: {text!r}"


def words(node: ast.expr) -> Iterator[str]:
    """Yield the literal texts of an argument, icons and colours taken off; what a call in it says is not its own."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = re.sub(r":[a-z]+\[", " ", node.value)  # a colour of Markdown
        yield " ".join(word for word in text.split() if not word.startswith(":material/"))
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from words(part)
    elif isinstance(node, ast.IfExp):
        yield from words(node.body)
        yield from words(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from words(node.left)
        yield from words(node.right)


def test_every_value_that_pages_fill_in_has_its_text():
    from typing import get_args

    from core.discover.taxonomy import Kind
    from core.models import Confidence, Reason, Sort, Stage
    from core.state.taste import MARKS
    from pages.components.state import View

    kinds = get_args(Reason.__annotations__["kind"]) or ("category", "words", "mood", "similar", "picture", "taste")
    wanted = {
        "sort": get_args(Sort),
        "match": get_args(Confidence),
        "why": kinds,
        "mark": MARKS,
        "marked": MARKS,
        "view": get_args(View),
        "own.kind": get_args(Kind),
        "job": [stage.value for stage in Stage if stage is not Stage.READY],
        "backend": ("edge", "server", "folder", "s3"),
    }
    assert {f"{prefix}.{value}" for prefix, values in wanted.items() for value in values} <= ENGLISH.keys()


def test_every_word_is_there_in_chinese_with_the_same_values_and_nothing_is_left_over():
    assert not ENGLISH.keys() - CHINESE.keys()
    for key in ENGLISH:
        wanted = set().union(*map(fields, forms(key)))
        for form in forms(key, CHINESE):
            assert fields(form) == wanted, key
            assert "  " not in form, key
    themes = taxonomy.load()
    infos = [local.INFO, *(clip.info_of(model) for model in clip_models.MODELS)]
    phrases = {phrase for info in infos for phrase in (*info.sees, *info.blind_to)}
    for service in (twelvelabs, bedrock):
        phrases |= {*service._SEES, *service._BLIND_TO}
    of_core = {f"category.{theme.id}" for theme in themes.categories} | {f"mood.{theme.id}" for theme in themes.moods}
    of_core |= {f"seen.{word}" for group in _WORDS for word, _, _ in group}
    of_core |= {f"sees.{phrase}" for phrase in phrases} | {f"language.{code}" for code in _LANGUAGES}
    assert of_core | ENGLISH.keys() == CHINESE.keys()


def everything(app) -> str:
    """Return all that a page shows in letters: texts, labels, placeholders, hints and options, icons taken off."""
    found = [readable(app)]
    for element in app.main:
        proto = getattr(element, "proto", None)
        for name in ("label", "placeholder", "help", "body"):
            found.append(str(getattr(proto, name, "")))
        found += [str(getattr(one, "content", one)) for one in getattr(proto, "options", ())]
    markup = r"<(script|style)>.*?</\1>|<[^<>]*>"
    return re.sub(rf"(?s){markup}|:material/\w+:|:[a-z-]+(?=\[)|\\(?=.)", " ", "\n".join(found))


@pytest.mark.parametrize(
    ("page", "query"), [("discover", {}), ("discover", {"category": "animals"}), ("ingest", {}), ("library", {})]
)
def test_no_english_is_left_on_a_chinese_page(library, page, query):
    app = open_page(page, **query, lang="zh")
    text = everything(app)
    for own in [*shown(app), library.encoder.info.name, "Grey wolf in a forest", "Tax office"]:
        text = text.replace(own, "")
    for meant in ("other.language.help", "own.phrases.example"):  # for who reads English; what most encoders read
        text = text.replace(str(CHINESE[meant]), "")
    assert re.search(r"[\u4e00-\u9fff]{2}", text)
    assert not set(re.findall(r"[A-Za-z]+", text)) - NOT_CHINESE


def test_the_browser_chooses_the_language_a_link_and_a_press_change_it(services):
    from streamlit.testing.v1 import AppTest

    from tests.pages.support import ROOT, press

    def opened(locale: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "pages" / "ingest.py"), default_timeout=120)
        app.context["locale"] = locale
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    english, chinese = ENGLISH["ingest.title"], CHINESE["ingest.title"]
    assert opened("de-DE").title[0].value == english
    assert opened("zh-CN").title[0].value == chinese
    assert opened("de-DE", lang="zh").title[0].value == chinese
    assert opened("zh-CN", lang="klingon").title[0].value == chinese
    app = press(opened("zh-CN"), "English")
    assert app.title[0].value == english
    assert app.query_params["lang"] == "en"
    assert press(app, "中文").title[0].value == chinese


def test_a_language_is_named_with_its_region():
    assert language_word("pt-br") == "Portuguese (BR)"
    assert language_word("de") == "German"


def test_the_form_fits_the_number():
    assert say("ready", n=1) == "1 video ready"
    assert say("ready", n=0) == "0 videos ready"
    assert say("ready", n=1204) == "1,204 videos ready"


@pytest.mark.parametrize(("seconds", "text"), [(7.9, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_a_time_in_a_video(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(4.2, "4 s"), (59.7, "1 min 00 s"), (125, "2 min 05 s")])
def test_how_long_something_took(seconds, text):
    assert elapsed(seconds) == text


def test_plain_text_is_nothing_to_markdown():
    assert plain("*a* :b: $c$") == "\\*a\\* \\:b\\: \\$c\\$"


@pytest.mark.parametrize("table", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_words_that_found_nothing_are_quoted_once(table: dict[str, Template]) -> None:
    (words,), (text,) = forms("found.words", table), forms("nothing.text", table)
    assert text.format(asked=words.format(words="sea")).count("“") == 1
