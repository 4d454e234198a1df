"""The page that asks for a password speaks the language of the link, else that of the browser."""

from __future__ import annotations

import pytest

from pages.components.signin import sign_in_page


@pytest.mark.parametrize(
    ("target", "languages", "tag"),
    [
        ("/", "en-GB", "en"),
        ("/", "zh-CN,en;q=0.5", "zh-Hans"),
        ("/?lang=zh", "en-GB", "zh-Hans"),
        ("/library?tab=trash&lang=en", "zh-CN", "en"),
        ("/?lang=klingon", "zh-CN", "zh-Hans"),
        ("/?lang=%zz&=&&", "en-GB", "en"),
    ],
)
def test_the_language_is_the_links_then_the_browsers(target: str, languages: str, tag: str) -> None:
    assert f'lang="{tag}"' in sign_in_page(target, "", languages)
