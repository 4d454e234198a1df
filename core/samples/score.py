"""The score reader: play what scores.txt has written down for a scene.

A cue is a voice with notes and seconds a beat, or an effect with its numbers (sound.py), and then in any order
    at T …          when it begins, in seconds, once for each T
    every S         seconds between repetitions, of which there are
    times N         so many for each T
    gain G          how loud; pan -1 (left) to 1 (right)
    fade IN OUT     seconds in which it comes and goes
    swell S DEPTH   let it swell and fall every S seconds
    hold SHARE      for how much of its length a note sounds
Any number may be LOW~HIGH, drawn anew for each repetition, or FIRST+STEP, which grows with each. The last cue may be
"room WET DECAY".
"""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path

import numpy as np

from core.samples import sound
from core.samples.sound import Track

_USUAL = {"at": "0", "every": "0", "times": "1", "gain": "1", "pan": "0", "fade": "", "swell": "", "hold": "0.95"}
"""The words of a cue, and what holds when one is not said."""


def play(name: str, track: Track) -> None:
    """Play a scene's score onto the tape."""
    for cue in _scores()[name]:
        _play(cue, track)


@cache
def _scores() -> dict[str, list[str]]:
    """Return the cues of every scene, a line each."""
    scores: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("scores.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            cues = scores.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            cues.append(line)
    return scores


def _play(cue: str, track: Track) -> None:
    (name, *given), said = _parts(cue)
    if name == "room":
        track.room(*map(float, given))
        return
    for start in said["at"]:
        for number in range(int(said["times"][0])):
            every, gain, pan, hold = (
                _number(said[word][0], number, track.rng) for word in ("every", "gain", "pan", "hold")
            )
            at = _number(start, number, track.rng) + every * number
            if name in sound.VOICES:
                track.play(sound.VOICES[name], given[0], float(given[1]), at, gain, pan, hold)
                continue
            signal = sound.effect(name, track.rng, *(_number(text, number, track.rng) for text in given))
            if said["swell"]:
                signal = sound.breathing(signal, *map(float, said["swell"]))
            if said["fade"]:
                signal = sound.shape(signal, *map(float, said["fade"]))
            track.add(signal, at, gain, pan)


def _parts(cue: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return what a cue plays, and what it says by each word."""
    plays: list[str] = []
    said = {word: usual.split() for word, usual in _USUAL.items()}
    into = plays
    for part in shlex.split(cue):
        if part in said:
            into = said[part] = []
        else:
            into.append(part)
    return plays, said


def _number(text: str, number: int, rng: np.random.Generator) -> float:
    """Return the number that a text stands for in this repetition."""
    low, between, high = text.partition("~")
    if between:
        return float(rng.uniform(float(low), float(high)))
    first, plus, step = text.partition("+")
    return float(first) + number * float(step) if plus else float(first)
