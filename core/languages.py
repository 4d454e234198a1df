"""Codes of languages as files, links and programs write them: ISO 639-1 or -2, perhaps with a region or script."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CODE = re.compile(r"([a-z]{2,3})(-[a-z0-9]{2,8})?")
_UNKNOWN = frozenset({"und", "mis", "mul", "zxx"})
"""ISO 639-2 for undetermined, uncoded, several, and no language at all."""

_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "ar": ("Arabic", "ara"),
    "bg": ("Bulgarian", "bul"),
    "bn": ("Bengali", "ben"),
    "ca": ("Catalan", "cat"),
    "cs": ("Czech", "ces", "cze"),
    "cy": ("Welsh", "cym", "wel"),
    "da": ("Danish", "dan"),
    "de": ("German", "deu", "ger"),
    "el": ("Greek", "ell", "gre"),
    "en": ("English", "eng"),
    "es": ("Spanish", "spa"),
    "et": ("Estonian", "est"),
    "eu": ("Basque", "eus", "baq"),
    "fa": ("Persian", "fas", "per"),
    "fi": ("Finnish", "fin"),
    "fr": ("French", "fra", "fre"),
    "ga": ("Irish", "gle"),
    "he": ("Hebrew", "heb"),
    "hi": ("Hindi", "hin"),
    "hr": ("Croatian", "hrv"),
    "hu": ("Hungarian", "hun"),
    "id": ("Indonesian", "ind"),
    "is": ("Icelandic", "isl", "ice"),
    "it": ("Italian", "ita"),
    "ja": ("Japanese", "jpn"),
    "ko": ("Korean", "kor"),
    "lt": ("Lithuanian", "lit"),
    "lv": ("Latvian", "lav"),
    "ms": ("Malay", "msa", "may"),
    "nb": ("Norwegian Bokmål", "nob"),
    "nl": ("Dutch", "nld", "dut"),
    "nn": ("Norwegian Nynorsk", "nno"),
    "no": ("Norwegian", "nor"),
    "pl": ("Polish", "pol"),
    "pt": ("Portuguese", "por"),
    "ro": ("Romanian", "ron", "rum"),
    "ru": ("Russian", "rus"),
    "sk": ("Slovak", "slk", "slo"),
    "sl": ("Slovenian", "slv"),
    "sr": ("Serbian", "srp"),
    "sv": ("Swedish", "swe"),
    "sw": ("Swahili", "swa"),
    "ta": ("Tamil", "tam"),
    "te": ("Telugu", "tel"),
    "th": ("Thai", "tha"),
    "tr": ("Turkish", "tur"),
    "uk": ("Ukrainian", "ukr"),
    "ur": ("Urdu", "urd"),
    "vi": ("Vietnamese", "vie"),
    "zh": ("Chinese", "zho", "chi"),
}
"""ISO 639-1 codes of languages that subtitles are often in: the English name and the ISO 639-2 codes."""
_SHORT = {long: short for short, (_, *longs) in _LANGUAGES.items() for long in longs}


def language_code(text: str) -> str | None:
    """Return "en" for "eng", "pt-br" for "pt-BR"; None for what is no code or stands for no language.

    A code that is not in the table stays as it is. At most one subtag, of a region or a script, is allowed.
    """
    found = _CODE.fullmatch(text.lower())
    if found is None or found[1] in _UNKNOWN:
        return None
    return _SHORT.get(found[1], found[1]) + (found[2] or "")


def language_name(code: str) -> str:
    """Return "German" for "de", "Portuguese (BR)" for "pt-br"; the code itself where the table does not know it."""
    language, _, region = code.partition("-")
    if language not in _LANGUAGES:
        return code
    name = _LANGUAGES[language][0]
    return f"{name} ({region.upper() if len(region) == 2 else region.title()})" if region else name


def with_primary(codes: tuple[str, ...]) -> frozenset[str]:
    """Return codes and what they are variants of, {"pt-br", "pt"}: who asks for Portuguese takes either (RFC 4647)."""
    return frozenset(name for code in codes for name in (code, code.partition("-")[0]))
