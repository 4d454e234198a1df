"""Read text for the local encoder: concepts it names, stems it shares with other text, percepts it asks for.

No learned weights. `lexicon.toml` maps words and phrases to concepts, concepts to broader ones and to percepts;
everything else of a text is kept as signed hashes of stems and character n-grams (Weinberger et al. 2009, "Feature
hashing"; Bojanowski et al. 2017, "Enriching word vectors with subword information"), so that names and words the
lexicon has never heard of still find themselves.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.encoders.percepts import PERCEPTS
from core.errors import EncoderError

LEXICON_PATH = Path(__file__).with_name("lexicon.toml")

# fmt: off
CONCEPTS: tuple[str, ...] = (
    # categories
    "animation", "3d-animation", "traditional-animation", "stop-motion", "anime", "cartoon", "kids", "family",
    "adventure", "comedy", "fantasy", "sci-fi", "nature", "animals", "sports", "food", "music", "travel",
    "technology", "education", "documentary",
    # moods
    "joyful", "calm", "energetic", "tense", "melancholic", "dreamy", "funny", "romantic",
    # animals
    "dog", "cat", "pet", "horse", "bird", "fish-sea-life", "insect", "wild-mammal", "farm-animal",
    "reptile-amphibian", "dinosaur",
    # outdoors
    "flower-plant", "forest", "mountain", "river-lake", "sea-beach", "sky-weather", "snow-ice", "desert", "field-farm",
    "fire-explosion", "night", "space",
    # machines and places
    "robot", "car", "heavy-vehicle", "motorcycle", "train", "aircraft", "ship-boat", "bicycle", "traffic",
    "city-street", "building", "landmark-country", "home", "office", "factory", "shop", "computer",
    # knowledge
    "school", "science", "medicine", "how-to", "sign-language", "alphabet-numbers", "history", "talk-interview", "news",
    # stories
    "war-battle", "crime-mystery", "horror", "monster", "magic", "superhero", "princess-castle", "pirate", "western",
    "action-film", "classic-film", "game", "toy", "nursery", "circus",
    # people
    "baby", "child", "woman", "man", "person", "crowd", "couple-love", "wedding", "party", "christmas", "halloween",
    "chores",
    # stage and sound
    "dance", "singing", "instrument", "concert",
    # sport
    "ball-game", "athletics", "water-sport", "winter-sport", "board-sport", "climbing-hiking", "combat-sport",
    "gym", "motor-racing",
    # table and looks
    "drink", "baking", "fruit-vegetable", "meal", "cooking", "art-craft", "fashion", "beauty",
    # how it was filmed
    "timelapse", "aerial", "macro", "slow-motion", "black-and-white", "abstract",
)
"""Names of the dimensions of `Reading.concepts`: every category and mood of the taxonomy, then finer topics."""
# fmt: on

MOODS = ("joyful", "calm", "energetic", "tense", "melancholic", "dreamy", "funny", "romantic")
"""The concepts that are moods: of them percepts say much, of all others little."""

HASHED = 329 - len(CONCEPTS)
"""Dimensions of `Reading.hashed`: what the percepts, the concepts and the layout leave free of the encoder's 384."""

_BLOCKS = (len(CONCEPTS), len(CONCEPTS) + HASHED, len(CONCEPTS) + HASHED + len(PERCEPTS))  # where the next begins

_MOST_REPEATS = 2.0  # a word said a hundred times weighs at most as much as two words
_STEM_SLOTS = 6  # a stem is spread over six dimensions, so that one collision cannot make strangers alike
_STEM_NORM, _NGRAM_NORM = 1.0, 0.7  # a word's stem against all its n-grams together
_UNSPACED = 0x2E80  # from here on scripts write words without spaces: a "stem" there is half a sentence
_DERIVED, _COMPOUND = 0.9, 0.6  # trust in "snowboarder" as snowboard, and in "lakehouse" as lake and house
_ALIKE = 0.7  # a concept both "snowboarder" and "snowboard" have this much of makes them one word
_NEGATED = -0.7  # "not dark" asks for light, less firmly than "bright" does
_HINT = 0.4  # weight of a word that only hints at its concept
_CLOSURE_FLOOR = 0.1  # implications weaker than this are dropped
_CLOSURE_HOPS = 3
_LONGEST_PHRASE = 6


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a text says, before any normalisation: sums over its words, repeated words saturated."""

    concepts: np.ndarray
    """float32 (len(CONCEPTS),), never negative."""
    hashed: np.ndarray
    """float32 (HASHED,), signed; a word on its own has norm 1 to 1.3."""
    percepts: np.ndarray
    """float32 (len(PERCEPTS),), signed targets in standard deviations: "dark" asks for more darkness."""
    asked: np.ndarray
    """float32 (len(CONCEPTS),): without what they imply: a dog is an animal, but who asks for one wants dogs."""
    known: float
    """Share of the words that the lexicon knows, 0 to 1."""
    named: float
    """Share of the known words that name their concept, 0 to 1: "dog" says all of it, "wolf" is one of many mammals."""


def read(text: str) -> Reading:
    """Return what a title, file name, subtitle or query says; all zeros where nothing is known or said."""
    units = Counter(_units(text))
    total = np.zeros(_BLOCKS[-1] + len(CONCEPTS), np.float32)
    if units:
        repeats = np.array(list(units.values()), np.float32)
        weights = _MOST_REPEATS * (1.0 - 0.5**repeats)
        total = weights @ np.stack([_vector(*unit) for unit in units])
    concepts, hashed, percepts, asked = np.split(total, _BLOCKS)
    known = [unit for unit, negated in units if not negated and _is_known(unit)]
    named = [unit for unit in known if _names_concept(unit)]
    return Reading(concepts, hashed, percepts, asked, len(known) / max(len(units), 1), len(named) / max(len(known), 1))


def _is_known(unit: tuple[str, ...]) -> bool:
    concepts, _, percepts, _ = np.split(_vector(unit, False), _BLOCKS)
    return bool(concepts.any() or percepts.any())


def _names_concept(unit: tuple[str, ...]) -> bool:
    """Tell whether a word or phrase is the name of a concept, or only asks for percepts, which need no name."""
    stems = [_stem(word) for word in unit]
    return not _vector(unit, False)[: len(CONCEPTS)].any() or any(set(stems) <= names for names in _concept_names())


@lru_cache(maxsize=1)
def _concept_names() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(_stem(word) for word in name.split("-")) for name in CONCEPTS)


# -- from text to units: words and known phrases ---------------------------------------------------------------

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHE = re.compile(r"(?<=\w)['’](?:s\b)?")
_NOISE = re.compile(  # what cameras, editors and download sites put into names
    r"(?<![^\W_])(?:"
    r"mp[34g]|m4[av]|3gp|mpe?g|mkv|mov|avi|webm|wmv|flv|ogv|m2?ts|mts|srt|vtt"  # file endings
    r"|[hx][. ]?26[45]|hevc|av1|vp[89]|prores|aac|ac3"  # codecs
    r"|\d{3,4}[pi]\d*|\d{3,4}[x_]\d{3,4}|[248]k\d*|\d+(?:\.\d+)?[ -]?(?:fps|[mk]bps|k?hz|bits?|sec|min|ms)"
    r"|\d{1,3}s|v\d+|s\d+e\d+|ep?\d+|[uf]?hd|hdr\d*|sdr|cam\d+"
    r"|whats ?app|full ?size ?render"
    r"|[\da-f]{8}(?:[ -]?[\da-f]{4}){3}[ -]?[\da-f]{12}|(?=[a-f]*\d)[\da-f]{16,}"  # UUIDs and hashes
    r")(?![^\W_])"
)
_BREAK = re.compile(r"[,.;:!?](?=\s)|[\n\r|]")
_MARKS = (
    "\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u109f\u0e31-\u0e4e\u3099\u309a"  # vowel signs: not letters to re
)
_TOKEN = re.compile(rf"[23]d(?![^\W\d_])|\d+s?(?![^\W\d_])|\d+|(?:[^\W\d_]|[{_MARKS}])+|\|")
_YEAR = re.compile(r"(?:18|19|20)\d\d(s?)")
_NEGATORS = frozenset(("no", "not", "without", "never", "non", "dont", "isnt", "cannot"))


def _tokens(text: str) -> list[str]:
    """Split text into lower-case words and numbers; "|" stands where a sentence or clause ends."""
    text = _CAMEL.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))
    text = _NOISE.sub(" ", _APOSTROPHE.sub("", text))
    return [_decade(token) for token in _TOKEN.findall(_BREAK.sub(" | ", text))]


def _decade(token: str) -> str:
    """Return a year as its decade: 1936 → 1930s. Round years stay: 1920 is as often a picture's width."""
    year = _YEAR.fullmatch(token)
    return f"{token[:3]}0s" if year and (year[1] or token[3] != "0") else token


def _units(text: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the words and known phrases of a text, each with whether it was negated."""
    lexicon = _lexicon()
    tokens = _tokens(text)
    stems = [_stem(token) for token in tokens]
    at, negated = 0, False
    while at < len(tokens):
        length = lexicon.phrase_length(stems, at)
        unit = tuple(tokens[at : at + length])
        at += length
        if length == 1 and unit[0] in _NEGATORS:
            negated = True
        elif unit[0] == "|":
            negated = False
        elif length > 1 or not lexicon.is_noise(unit[0]):
            yield unit, negated
            negated = False


# -- from units to vectors -------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _vector(unit: tuple[str, ...], negated: bool) -> np.ndarray:
    """Return [concepts | hashed | percepts | asked] of a word or phrase, float32."""
    lexicon = _lexicon()
    asked = np.zeros(len(CONCEPTS), np.float32)
    concepts = np.zeros(len(CONCEPTS), np.float32)
    hashed = np.zeros(HASHED, np.float32)
    percepts = np.zeros(len(PERCEPTS), np.float32)
    if len(unit) == 1:
        stem, meanings = lexicon.look_up(unit[0])
        stems = [stem]
    else:
        stems = [_stem(word) for word in unit if not lexicon.is_noise(word)]
        meanings = [(lexicon.meanings[_phrase_key(_stem(word) for word in unit)], 1.0)]
    for meaning, weight in meanings:
        asked = np.maximum(asked, weight * meaning.asked)
        concepts = np.maximum(concepts, weight * meaning.concepts)
        percepts = _stronger(percepts, weight * meaning.percepts)
    for stem in stems:
        hashed += _hash(stem)
    if negated:
        asked, concepts, hashed, percepts = 0.0 * asked, 0.0 * concepts, 0.0 * hashed, _NEGATED * percepts
    vector = np.concatenate([concepts, hashed, percepts, asked])
    vector.flags.writeable = False  # shared by every text that has the word
    return vector


def _hash(stem: str) -> np.ndarray:
    """Return a stem as signed hashes of itself and of its character n-grams, float32 (HASHED,)."""
    vector = np.zeros(HASHED, np.float32)
    if any(ord(letter) >= _UNSPACED for letter in stem):
        grams, stem_norm, gram_norm = _ngrams(stem, (1, 2, 3)), _NGRAM_NORM, _STEM_NORM
    else:
        grams, stem_norm, gram_norm = _ngrams(f"<{stem}>", (3, 4, 5)), _STEM_NORM, _NGRAM_NORM
    for slot in range(_STEM_SLOTS):
        index, sign = _slot(f"{slot}:{stem}")
        vector[index] += sign * stem_norm / _STEM_SLOTS**0.5
    for gram in grams:
        index, sign = _slot(f"~{gram}")
        vector[index] += sign * gram_norm / len(grams) ** 0.5
    return vector


def _ngrams(word: str, sizes: Sequence[int]) -> list[str]:
    return [word[at : at + size] for size in sizes for at in range(len(word) - size + 1)]


def _slot(feature: str) -> tuple[int, float]:
    """Return the dimension and sign of a feature, the same on every machine and in every year."""
    number = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "little")
    return (number >> 1) % HASHED, 1.0 if number & 1 else -1.0


def _stronger(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return of each pair the number further from zero."""
    return np.where(np.abs(right) > np.abs(left), right, left)


# -- stems -----------------------------------------------------------------------------------------------------

# fmt: off
_FORMS = {  # a word and its irregular forms; words that only look like plurals are forms of themselves
    "man": "men", "woman": "women", "mouse": "mice", "goose": "geese", "foot": "feet", "tooth": "teeth", "ox": "oxen",
    "wolf": "wolves", "leaf": "leaves", "knife": "knives", "wife": "wives", "loaf": "loaves", "shelf": "shelves",
    "calf": "calves", "elf": "elves", "scarf": "scarves", "thief": "thieves", "hoof": "hooves", "dwarf": "dwarves",
    "life": "lives", "child": "children", "person": "people persons", "policeman": "policemen", "fireman": "firemen",
    "run": "ran", "swim": "swam swum", "sing": "sang sung", "drive": "drove driven", "ride": "rode ridden",
    "fly": "flew flown", "eat": "ate eaten", "fight": "fought", "throw": "threw thrown", "catch": "caught",
    "teach": "taught", "write": "wrote written", "draw": "drew drawn", "build": "built", "sleep": "slept",
    "fall": "fell fallen", "grow": "grew grown", "blow": "blew", "break": "broke broken", "speak": "spoke spoken",
    "lie": "lying", "die": "dying", "tie": "tying", "make": "made", "dove": "dove", "bus": "buses", "news": "news",
    "series": "series", "species": "species", "lens": "lens", "tennis": "tennis", "chess": "chess", "gas": "gas",
    "christmas": "christmas", "texas": "texas", "canvas": "canvas", "atlas": "atlas", "bass": "bass",
    "jeans": "jeans", "scissors": "scissors", "glasses": "glasses", "maths": "mathematics math",
    "colour": "colour color colors", "coloured": "colored", "colourful": "colorful", "grey": "gray",
    "theatre": "theater", "centre": "center", "doughnut": "donut donuts", "tire": "tyre",
    "plow": "plough ploughs ploughing ploughed", "jewellery": "jewelry",
    "training": "training trained trainer trainers trainee",
}
_WHOLE = frozenset((  # words that look like forms of another and mean something else: a boxing match is no box
    "acting", "alps", "andes", "avengers", "bats", "batting", "bearing", "bedding", "blessing", "blocks", "blues",
    "bonded", "booked", "booking", "bottling", "bowling", "boxing", "casting", "checkers", "chilling", "chips",
    "cosmos", "crossing", "curling", "darts", "dating", "discussing", "dressing", "ducked", "ducking", "earring",
    "earrings", "evening", "faced", "facing", "failed", "failing", "fans", "fencing", "fired", "firing", "flipping",
    "glasses", "goods", "hacking", "handed", "handing", "heading", "herring", "hers", "housing", "hundred", "icing",
    "ironing", "kidding", "landing", "lighting", "longing", "loving", "mapped", "mapping", "marbles", "marketing",
    "mars", "matched", "matching", "meeting", "milking", "missing", "morning", "mothering", "nails", "naked", "nested",
    "outing", "packaging", "parking", "peanuts", "peas", "pickles", "ported", "porting", "pressed", "pressing",
    "pudding", "putting", "rapids", "relatives", "sacred", "seals", "seasoning", "shipped", "shipping", "shooting",
    "signing", "singe", "staged", "staging", "stocking", "stockings", "stored", "storing", "streaming", "suite",
    "swallowed", "swallowing", "swallows", "sweets", "tapas", "tears", "tips", "tired", "trailed", "trailing",
    "transformers", "typing", "vacuuming", "viking", "wales", "waved", "waving", "wedding", "wicked", "winding",
    "woods",
))
# fmt: on
_IRREGULAR = {form: word for word, forms in _FORMS.items() for form in (word, *forms.split())}
_IRREGULAR |= {word: word for word in _WHOLE}
_VOWEL = "aeiouy"
_ONE_BEAT_E = re.compile(r"[^aeiouy]*[aeiouy][^aeiouywx]e")  # bake, skate, drive: here the e tells words apart
_ONE_BEAT = re.compile(r"[^aeiouy]+[aeiouy][^aeiouywx]")  # bak, skat, driv: here it was lost


def _stem(word: str) -> str:
    """Return a word without plural, -ing and -ed, so that its forms meet: baking, bakes and baked are bake.

    A stem need not be a word ("danc"); it only has to be the same for all forms, and not that of another word.
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    one = _singular(word)
    return _IRREGULAR.get(one) or _without_final_e(_without_ending(one))


_PLURAL = 2
"""The most letters that `_singular` takes away."""


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    if word.endswith("oes") and len(word) > 5:
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_ending(word: str) -> str:
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and not word.endswith("eed") and any(c in _VOWEL for c in rest):
            if rest[-1] == rest[-2] and rest[-1] not in "aeioulsz":
                return rest[:-1]
            return rest + "e" if _ONE_BEAT.fullmatch(rest) else rest
    return word


def _without_final_e(word: str) -> str:
    if word.endswith("ie") and len(word) > 4:
        return word[:-2] + "y"
    if word.endswith("e") and len(word) > 4 and not word.endswith("ee") and not _ONE_BEAT_E.fullmatch(word):
        return word[:-1]
    return word


_SUFFIXES = ("ers", "er", "or", "est", "ist", "ly", "ness", "ful", "ish", "like", "y")  # not -less: it says no


def _bases(word: str) -> Iterator[str]:
    """Yield what a word may be derived from: snowboarder → snowboard, funniest → funny, rainy → rain.

    Three letters are enough only where spelling gives them away (runner, foggy): a cater is no cat.
    """
    for suffix in _SUFFIXES:
        rest = word.removesuffix(suffix)
        if rest == word or len(rest) < 3:
            continue
        if len(rest) >= 4:
            yield rest
        if suffix in ("er", "ers", "or", "est", "y"):
            yield rest + "e"
        if rest[-1] == "i":
            yield rest[:-1] + "y"
        if rest[-1] == rest[-2] and len(rest) >= 4:
            yield rest[:-1]


# -- the lexicon -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Meaning:
    asked: np.ndarray
    concepts: np.ndarray
    percepts: np.ndarray

    def is_like(self, other: _Meaning) -> bool:
        """Return whether both plainly name a concept: a runner runs, a boxer boxes nothing."""
        return float(np.minimum(self.concepts, other.concepts).max()) >= _ALIKE


@dataclass(frozen=True, slots=True, eq=False)
class _Lexicon:
    """Words and phrases with their meanings, keyed by their stems joined with spaces."""

    meanings: Mapping[str, _Meaning]
    phrases: Mapping[str, frozenset[int]]
    """By its first stem, how many words a phrase may have."""
    noise: frozenset[str]
    """Words that say nothing: function words, and what cameras and download sites put into names."""
    roots: frozenset[str]
    """Words that look derived or compound and are not: a corner is no corn, a workspace is not in space."""
    spelled: frozenset[str]
    """Single words as they stand in the lexicon: a stem such as "uncl" is no word to find in another."""
    kinds: frozenset[str]
    """Words that say what a compound is whatever comes before them: marshberry, zorrowolf."""
    tails: frozenset[str]
    """What a compound may end in after a word that says what it is about: windhouse, dogmonger."""
    longest: int
    """Letters of the longest word: what has more is not looked up, so that a long "word" costs no more than its length
    (a damaged file of subtitles may have one of 200,000 letters)."""

    def is_noise(self, token: str) -> bool:
        known = token in self.meanings
        return token in self.noise or (token.isascii() and not known and (len(token) < 2 or token[0].isdigit()))

    def phrase_length(self, stems: Sequence[str], at: int) -> int:
        """Return how many words the longest known phrase at this place has; 1 where there is none."""
        for length in sorted(self.phrases.get(stems[at], ()), reverse=True):
            if at + length <= len(stems) and _phrase_key(stems[at : at + length]) in self.meanings:
                return length
        return 1

    def look_up(self, word: str) -> tuple[str, list[tuple[_Meaning, float]]]:
        """Return the stem to hash and the meanings of a word with how far to trust them."""
        stem = _stem(word)
        known = self.meanings.get(stem)
        if not word.isascii() or word in self.roots or stem in self.roots:
            return stem, [(known, 1.0)] if known else []
        for base in filter(self._is_word, _bases(_singular(word))):
            meaning = self.meanings[_stem(base)]
            if known is None:
                return _stem(base), [(meaning, _DERIVED)]
            if known.is_like(meaning):
                return _stem(base), [(known, 1.0)]
        if known:
            return stem, [(known, 1.0)]
        return stem, [(self.meanings[_stem(part)], _COMPOUND) for part in self._parts(word)]

    def _is_word(self, text: str) -> bool:
        """Return whether this is a known word, rather than what is left of one when it is stemmed."""
        return text in self.spelled or (_stem(text) != text and _stem(text) in self.meanings)

    def _parts(self, word: str) -> tuple[str, ...]:
        """Return the known words an unknown compound is made of: lakehouse → lake, house."""
        cuts = range(min(len(word) - 3, self.longest), 2, -1)
        for cut in cuts:
            head, tail = word[:cut], word[cut:]
            if len(word) > 7 and len(tail) > 3 and self._is_head(head) and self._is_word(tail):
                return head, tail
        for cut in cuts:
            if self._is_head(word[:cut]) and {word[cut:], _singular(word[cut:])} & self.tails:
                return (word[:cut],)
        for cut in range(max(3, len(word) - self.longest - _PLURAL), len(word) - 2):
            if {word[cut:], _singular(word[cut:])} & self.kinds and self._is_word(word[cut:]):
                return (word[cut:],)
        return ()

    def _is_head(self, text: str) -> bool:
        return text in self.spelled and text not in self.noise


def _phrase_key(stems: Iterable[str]) -> str:
    return " ".join(stems)


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    """Read lexicon.toml once. Raises EncoderError naming what is wrong in it."""
    try:
        data = tomllib.loads(LEXICON_PATH.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise EncoderError(f"{LEXICON_PATH} could not be read: {error}. Restore it from the repository.") from error
    return _parse(data)


def _parse(data: Mapping) -> _Lexicon:
    """Build the lexicon from the tables of lexicon.toml. Raises EncoderError naming the entry that is wrong."""
    tables = _table(data, "concept")
    for name in tables:
        _table(tables, name)
    if set(tables) != set(CONCEPTS):
        odd = ", ".join(sorted(set(tables) ^ set(CONCEPTS)))
        raise EncoderError(f"{LEXICON_PATH.name} and CONCEPTS differ in: {odd}. Name each concept in both.")
    closure = _closure([_row(tables[name].get("implies", {}), CONCEPTS, name) for name in CONCEPTS])
    own = np.stack([_row(tables[name].get("percepts", {}), PERCEPTS, name) for name in CONCEPTS])
    meanings: dict[str, _Meaning] = {}
    spelled: set[str] = set()

    def learn(phrase: str, asked: np.ndarray, concepts: np.ndarray, percepts: np.ndarray) -> None:
        tokens = _tokens(phrase)
        if not tokens:
            raise EncoderError(f"{LEXICON_PATH.name}: {phrase!r} is dropped as noise from names. Remove it.")
        spelled.update(tokens if len(tokens) == 1 else ())
        for key in _keys(tokens):
            known = meanings.get(key)
            meanings[key] = (
                _Meaning(
                    np.maximum(known.asked, asked),
                    np.maximum(known.concepts, concepts),
                    _stronger(known.percepts, percepts),
                )
                if known
                else _Meaning(asked, concepts, percepts)
            )

    for number, name in enumerate(CONCEPTS):
        concepts = closure[number]
        asked = np.eye(len(CONCEPTS), dtype=np.float32)[number]
        targets = concepts[:, None] * own  # what a concept implies, it asks for too
        percepts = targets[np.abs(targets).argmax(axis=0), np.arange(len(PERCEPTS))]
        for phrase in _listed(_text(tables[name], "words", name)):
            learn(phrase, asked, concepts, percepts)
        for phrase in _listed(_text(tables[name], "hints", name)):
            learn(phrase, _HINT * asked, _HINT * concepts, _HINT * percepts)
    for phrases, targets in _table(data, "percept_words").items():
        for phrase in _listed(phrases):
            nothing = np.zeros(len(CONCEPTS), np.float32)
            learn(phrase, nothing, nothing, _row(targets, PERCEPTS, phrases))

    lengths: dict[str, set[int]] = defaultdict(set)
    for key in meanings:
        stems = key.split(" ")
        if 1 < len(stems) <= _LONGEST_PHRASE:
            lengths[stems[0]].add(len(stems))
    drop, compound = _table(data, "drop"), _table(data, "compound")
    kinds = frozenset(_text(compound, "kinds", "compound").split())
    return _Lexicon(
        meanings=meanings,
        phrases={first: frozenset(sizes) for first, sizes in lengths.items()},
        noise=frozenset(f"{_text(drop, 'stop', 'drop')} {_text(drop, 'junk', 'drop')}".split()),
        roots=frozenset(_text(drop, "roots", "drop").split()),
        spelled=frozenset(spelled),
        kinds=kinds,
        tails=frozenset(_text(compound, "tails", "compound").split()),
        longest=max(map(len, [*spelled, *kinds])),
    )


def _table(data: Mapping, name: str) -> Mapping:
    """Return the table of this name, empty if it is not there. Raises EncoderError if it is something else."""
    table = data.get(name, {})
    if not isinstance(table, Mapping):
        raise EncoderError(f"{LEXICON_PATH.name}: {name} must be a table, not {table!r}. Write it as [{name}].")
    return table


def _text(table: Mapping, key: str, where: str) -> str:
    """Return a text of a table, empty if it is not there. Raises EncoderError if it is something else."""
    text = table.get(key, "")
    if not isinstance(text, str):
        raise EncoderError(f"{LEXICON_PATH.name}, {where}: {key} must be words separated by commas, in one string.")
    return text


def _listed(phrases: str) -> Iterator[str]:
    """Yield the phrases of a comma-separated list."""
    return (phrase.strip() for phrase in phrases.split(",") if phrase.strip())


def _keys(tokens: Sequence[str]) -> Iterator[str]:
    """Yield the keys a phrase is found by: its stems, and written as one word ("slowmotion") when long enough."""
    yield _phrase_key(_stem(token) for token in tokens)
    joined = "".join(tokens)
    if len(tokens) > 1 and len(joined) >= 7:
        yield _stem(joined)


def _row(weights: Mapping[str, float], names: Sequence[str], where: str) -> np.ndarray:
    """Return a table of weights as a float32 row over names. Raises EncoderError for a name that is not there."""
    row = np.zeros(len(names), np.float32)
    for name, weight in _table({where: weights}, where).items():
        if name not in names:
            raise EncoderError(f"{LEXICON_PATH.name}, {where}: there is no {name!r}. Correct the name.")
        if not isinstance(weight, int | float):
            raise EncoderError(f"{LEXICON_PATH.name}, {where}: {name} must be a number, not {weight!r}.")
        row[names.index(name)] = weight
    return row


def _closure(implies: Sequence[np.ndarray]) -> np.ndarray:
    """Return how strongly each concept means each other: the best product of weights over at most three steps."""
    direct = np.stack(implies)
    np.fill_diagonal(direct, 1.0)
    closure = direct
    for _ in range(_CLOSURE_HOPS - 1):
        closure = (closure[:, :, None] * direct[None, :, :]).max(axis=1)
    return np.where(closure >= _CLOSURE_FLOOR, closure, 0.0).astype(np.float32)
