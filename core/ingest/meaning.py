"""Tell a title from what programs, phones and sites write in its place: "Clideo", "Untitled 3", "IMG_0411", an id.

A text says nothing when each of its words is the name of a tool or site, a word such as "untitled" or "export", a
number, or only joins these ("made with"). One word more makes it a title: "Untitled" says nothing, "Untitled Goose"
does. Words that are also ordinary ones stand only in company: "Sony Vegas" is a tool, "Vegas" may be a journey.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]+|\d+")


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(_WORD.findall(phrase.casefold())) for phrase in text.replace("\n", "|").split("|"))


_TOOLS = _phrases(
    """Lavf|Lavc|libavformat|libavcodec|FFmpeg|avconv|HandBrake|x264|x265|libx264|libx265|MP4Box|GPAC|mkvmerge
mkvtoolnix|MEncoder|Nero AAC|MediaCoder|XMedia Recode|Format Factory|FormatFactory|Any Video Converter|Freemake
Freemake Video Converter|Wondershare|UniConverter|Filmora|Filmora9|VLC|VLC media player|QuickTime|QuickTime Player
Windows Media|Windows Media Encoder|Windows Movie Maker|Movie Maker|Microsoft Clipchamp|Clipchamp|iMovie|Final Cut
Final Cut Pro|Final Cut Pro X|Final Cut Express|Adobe Premiere|Premiere Pro|Premiere Elements|Premiere Rush
Adobe Rush|After Effects|Adobe Media Encoder|Media Encoder|Adobe Express|Adobe Animate|Adobe Captivate|Camtasia
Camtasia Studio|Snagit|DaVinci Resolve|Blackmagic|Blackmagic Design|Avid Media Composer|Media Composer|Sony Vegas
Vegas Pro|Vegas Movie Studio|Magix|Magix Vegas|Magix Movie Edit Pro|Movie Edit Pro|PowerDirector|CyberLink
Pinnacle Studio|Corel VideoStudio|VideoStudio|Movavi|Movavi Video Editor|VSDC|VSDC Video Editor|Shotcut|Kdenlive
OpenShot|Olive Video Editor|Lightworks|HitFilm|Avidemux|VirtualDub|LosslessCut|Bandicut|Clideo|Kapwing|VEED|VEED.IO
InVideo|Animoto|FlexClip|WeVideo|Canva|Renderforest|Biteable|Powtoon|Vyond|Synthesia|HeyGen|Descript|Riverside.fm
CapCut|JianYing|InShot|KineMaster|VivaVideo|VideoShow|VivaCut|VideoLeap|Videoleap|LumaFusion|Alight Motion|YouCut
VN Video Editor|GoPro Quik|Apple Clips|Magisto|Vizmato|FilmoraGo|Splice Video Editor|XRecorder|AZ Screen Recorder
DU Recorder|Mobizen|Bandicam|Fraps|OBS|OBS Studio|Streamlabs|Streamlabs OBS|XSplit|ScreenFlow|Screencastify
Screencast-O-Matic|ScreenPal|Loom Video|Zoom Meeting|Zoom Video Communications|Microsoft Teams|Google Meet|Webex
ShadowPlay|GeForce Experience|Xbox Game Bar|Xbox Game DVR|Elgato|CamStudio|Debut Video Capture|NCH Software
4K Video Downloader|4K Downloader|yt-dlp|youtube-dl|YouTube|YouTube Shorts|YouTube Video|y2mate|yt1s|yt5s|savefrom
SaveFrom.net|keepvid|9xbuddy|ssyoutube|clipconverter|ClipGrab|JDownloader|Ummy|snaptik|ssstik|musicallydown|tikmate
TikTok|Douyin|Kwai|Likee|Instagram|Instagram Reels|Facebook|Facebook Video|Twitter|Twitter Video|Snapchat|WhatsApp
WhatsApp Video|Telegram|WeChat|Viber|Vimeo|Dailymotion|Bilibili|Twitch|Reddit|Pinterest|Pexels|Pixabay|Videvo|Mixkit
Shutterstock|Giphy|Tenor GIF|Imgur|Streamable|Google Photos|Google Drive|Dropbox|ISO Media
ISO Media file produced by Google|Core Media|Core Media Video|Core Media Data Handler|VideoHandler|SoundHandler
GoPro|GoPro AVC|GoPro HERO|DJI|DJI Mavic|DJI Mini|iPhone|iPad|Samsung|Samsung Galaxy|Google Pixel|Xiaomi|Redmi|Huawei
OnePlus|OPPO|Realme|Motorola|Nikon|Canon EOS|Sony Xperia|Lumix|Handycam"""
)
"""Editors, encoders, converters, recorders, downloaders, sites, phones and cameras."""

_FILLERS = _phrases(
    """untitled|unnamed|unknown|no title|no name|notitle|noname|video|videos|movie|film|clip|output|out|export|exported
render|rendered|sequence|timeline|project|composition|comp|main comp|newproject|mymovie|myvideo|myfilm|default|test
title|undefined|null|nan|none|n/a|todo|tbd|file|media|download|downloaded|recording|videoplayback|video playback
screen recording|screenrecording|screen record|screenrecord|screen recorder|screenrecorder|screen capture
screencapture|screencast|screen cast|RPReplay|FullSizeRender|full size render|temp|tmp|asdf|abc|xxx
ohne titel|unbenannt|mein film|mein video|neues projekt|projekt|bildschirmaufnahme|sans titre|nouveau projet|projet
ma vidéo|vidéo|enregistrement de l'écran|sin título|sin titulo|proyecto|nuevo proyecto|mi película|grabación de pantalla
senza titolo|nuovo progetto|progetto|sem título|sem titulo|novo projeto|projeto|naamloos|utan titel|uten navn|namnlös
bez tytułu|bez názvu|без названия|без имени|новый проект|видео|无标题|未命名|無題|無標題|新規プロジェクト|제목 없음"""
)
"""What a program or a hurried person writes where a title belongs."""

_CAMERAS = _phrases("img|mov|vid|dsc|dscn|dscf|cimg|gopr|gx|gh|gp|mvi|pxl|wp|wa|mah|lv|zoom|capture")
"""Beginnings of file names; with a number they say nothing."""

_JOINTS = _phrases(
    """made|created|create|trim|snap|rec|cam|edited|encoded|exported|produced|recorded|captured|generated|rendered|downloaded|converted
uploaded|powered|published|by|with|using|via|from|in|on|at|for|to|and|my|new|copy|final|edit|draft|original|mix|full|hd|sd
uhd|fhd|hdr|fps|p|i|k|x|v|n|s|t|z|am|pm|utc|gmt|version|ver|build|beta|trial|free|online|pro|plus|max|mini|ultra|lite|se
app|application|software|studio|suite|editor|editing|video editor|maker|converter|downloader|download|recorder|encoder
decoder|player|muxer|stream|streaming|http|https|www|com|net|org|io|tv|me|co|watch|mp|webm|mkv|avi|h|hevc|avc|aac|mobile
desktop|android|ios|windows|mac|macos|linux|adobe|apple|google|microsoft|sony|inc|ltd|llc|gmbh|web|website|site
january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep
sept|oct|nov|dec|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun"""
)
"""What may stand between them; alone it is a title ("Studio")."""

_LONGEST = max(map(len, _TOOLS | _FILLERS | _CAMERAS | _JOINTS))
_LONG_NUMBER = 5
"""Digits, all together, that are a date, a time or a number given by a machine; "1917" is a film."""
EXTENSION = re.compile(r"\.(?=[a-z0-9]*[a-z])[a-z0-9]{2,5}$", re.IGNORECASE)
_ADDRESS = re.compile(
    r"https?://\S+|(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org|io|tv|app|me|co|info)(?:/\S*)?", re.IGNORECASE
)
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z0-9]+")
_HEX = re.compile(r"(?=.*\d)[0-9a-f]{8,}|(?=.*\d)[0-9A-F]{8,}")
_NUMBERED = re.compile(r"[A-Z]{1,4}(?:0\d{3,}|\d{5,})")
"""As cameras name files: C0001, GX010123, P1010101."""
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[-_]")
_ID_CHARS = 10
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_NOT_SIGNS = frozenset("©®™℠℗")


def says_nothing(text: str) -> bool:
    """Say whether a text in a title's place is none: only tools, sites, fillers, numbers, dates or an id."""
    text = EXTENSION.sub("", text.strip()) if " " not in text.strip() else text
    if _ADDRESS.fullmatch(text.strip()) or (_YOUTUBE_ID.fullmatch(text) and _is_scrambled(text)):
        return True
    kinds = _kinds(text)
    if kinds is None:
        return False
    digits = sum(char.isdigit() for char in _without_ids(text))
    return bool(kinds & {"tool", "filler"}) or ("camera" in kinds and digits > 0) or digits >= _LONG_NUMBER or not kinds


def names_a_tool(text: str) -> bool:
    """Say whether a text only tells with what a file was made or where it is from ("Created with Clideo.com")."""
    return "tool" in (_kinds(text) or ())


def _kinds(text: str) -> set[str] | None:
    """Return which kinds of words a text can be read as, all of it; None where a word is of no kind, or a sign shows
    something."""
    if any(unicodedata.category(char) == "So" and char not in _NOT_SIGNS for char in text):
        return None
    words = _WORD.findall(_without_ids(text).casefold())
    reached: list[set[str] | None] = [set(), *([None] * len(words))]
    for start in range(len(words)):
        before = reached[start]
        if before is None:
            continue
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            kind = _kind(words[start:end])
            if kind is not None:
                reached[end] = (reached[end] or set()) | before | {kind}
    return reached[-1]


def _kind(words: Sequence[str]) -> str | None:
    phrase = tuple(words)
    if len(phrase) == 1 and phrase[0].isdigit():
        return "number"
    for kind, phrases in (("tool", _TOOLS), ("filler", _FILLERS), ("camera", _CAMERAS), ("joint", _JOINTS)):
        if phrase in phrases:
            return kind
    return None


def _without_ids(text: str) -> str:
    """Return the text with each id in it as a long number."""
    number = "0" * _LONG_NUMBER
    text = _UUID.sub(number, text)
    return _RUN.sub(lambda run: number if _is_id(run[0]) else run[0], text)


def _is_id(run: str) -> bool:
    return bool(_HEX.fullmatch(run) or _NUMBERED.fullmatch(run)) or (len(run) >= _ID_CHARS and _is_scrambled(run))


def _is_scrambled(run: str) -> bool:
    """Say whether letters and digits change as by chance: dQw4w9WgXcQ does, iPhone14Pro does not."""
    return len(run) < 2 * len(_PARTS.findall(run))
