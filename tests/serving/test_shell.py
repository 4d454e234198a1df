"""The page that a browser opens has a head of ours, and nothing else is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import file_util

from core.serving.guard import House
from core.serving.shell import END, HEAD_END, LANGUAGE, TITLE, Preview, Shell, picture_routes

PAGE = Path(file_util.get_static_dir()) / "index.html"


@pytest.fixture
def asked() -> list:
    return []


@pytest.fixture
def client(asked):
    def preview(opened) -> Preview:
        asked.append(opened)
        return Preview(
            'A "wolf" <b>',
            "Words & more",
            "https://here/p.jpg",
            "zh-Hans",
            "Moodreel",
            ["p.jpg?a&b"],
            "<div>first</div>",
        )

    def page(request):
        return FileResponse(PAGE)

    app = Starlette(
        routes=[
            *picture_routes({"/preview.png": PAGE.with_name("favicon.png")}, "/reel"),
            Route("/api/videos", lambda request: PlainTextResponse("<title>Streamlit</title>", media_type="text/html")),
            Route("/robots.txt", lambda request: PlainTextResponse("<title>Streamlit</title>")),
            Route("/{path:path}", page),
        ]
    )
    return TestClient(Shell(app, preview, lambda: House("/reel"), "<link>", "<style>b { }</style>"))


def test_streamlits_page_has_the_place_for_our_head():
    page = PAGE.read_bytes()
    assert [page.count(one) for one in (TITLE, LANGUAGE, HEAD_END, END)] == [1, 1, 1, 1]


def test_a_page_says_what_it_shows_and_is_otherwise_as_it_was(client, asked):
    answer = client.get("/reel/?watch=x&t=3", headers={"Accept-Language": "zh-CN"})
    html = answer.text
    assert "<title>A &quot;wolf&quot; &lt;b&gt;</title>" in html
    assert '<meta property="og:title" content="A &quot;wolf&quot; &lt;b&gt;">' in html
    assert '<meta property="og:description" content="Words &amp; more">' in html
    assert '<meta property="og:image" content="https://here/p.jpg">' in html
    before, after = PAGE.read_text("utf-8").split(TITLE.decode())
    assert html.startswith(before.replace('<html lang="en">', '<html lang="zh-Hans">'))
    after = after.replace("</head>", "<link></head>").replace("</body>", "<style>b { }</style><div>first</div></body>")
    assert html.endswith(after)
    assert '<link rel="preload" as="image" fetchpriority="high" href="p.jpg?a&amp;b">' in html
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "etag" not in answer.headers
    assert answer.headers["vary"] == "Cookie, Accept-Language"
    (opened,) = asked
    assert (opened.path, opened.query, opened.languages) == ("/", {"watch": "x", "t": "3"}, "zh-CN")
    assert (opened.base_url, opened.who) == ("http://testserver/reel", None)


def test_a_page_is_whole_whatever_part_of_it_is_asked_for(client):
    whole = client.get("/").content
    for headers in ({"Range": "bytes=0-9"}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}):
        answer = client.get("/", headers=headers)
        assert (answer.status_code, answer.content) == (200, whole)


def test_what_is_no_page_stays_as_it_is(client, asked):
    for path in ("/api/videos", "/robots.txt"):
        assert client.get(path).text == "<title>Streamlit</title>"
    assert client.post("/ingest").status_code == 405
    for path in ("/preview.png", "/reel/preview.png"):
        assert client.get(path).headers["content-type"] == "image/png"
    assert asked == []
