"""Places for ads: in lulls between shots, apart from each other, after what is like the ad, never beside what is not to
be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from core.ads.models import Avoid, Break, Proposals, Reason, Rules, Wanted, sentence
from core.ads.placing import has_word, may_interrupt
from core.ads.rhythm import Gap, Rhythm
from core.errors import MediaError, QueryError
from core.services import Services
from tests.ads.conftest import Add

DOG = "a dog and a puppy, animals"


def titles(found: Proposals) -> list[str]:
    return [placed.entry.title for placed in found.placed]


def places(found: Proposals) -> list[float]:
    return sorted(one.at_s for placed in found.placed for one in placed.breaks)


def propose(services: Services, text: str = DOG, avoid: Avoid | None = None, **rules: float) -> Proposals:
    wanted = Wanted(text=text, avoid=avoid or Avoid(), rules=Rules(**rules))
    return services.ads.placing.propose(wanted)


def test_a_sentence_goes_to_what_is_about_it(services: Services, add: Add) -> None:
    add("grey wolf and dog, animals")
    add("tax office, law")
    found = propose(services)
    assert titles(found) == ["grey wolf and dog, animals"]
    assert places(found) == [45.0]  # the quietest; the others are too near to it
    assert {"category"} <= {reason.why for reason in found.placed[0].breaks[0].reasons}


def test_a_video_of_the_library_is_an_ad_and_never_goes_into_itself(services: Services, add: Add) -> None:
    ad = add("dog and puppy animals")
    other = add("grey wolf and dog, animals")
    for title in ("tax office, law", "harbour ship", "football match, sports"):
        add(title)
    found = services.ads.placing.propose(Wanted(ad=ad))
    assert found.placed[0].entry.video_id == other
    assert ad not in [placed.entry.video_id for placed in found.placed]
    assert found.ad.media_key


def test_only_one_video_is_looked_at_when_one_is_named(services: Services, add: Add) -> None:
    add("grey wolf and dog, animals")
    other = add("kitten and cat, animals")
    found = services.ads.placing.propose(Wanted(text=DOG, video=other))
    assert [placed.entry.video_id for placed in found.placed] == [other]
    with pytest.raises(QueryError, match="no video"):
        services.ads.placing.propose(Wanted(text=DOG, video="gone"))


@pytest.mark.parametrize(
    ("gap", "may"),
    [
        (Gap(20, "cut", 6.0, 0.0), True),
        (Gap(20, "cut", None, 0.0), True),
        (Gap(20, "cut", 1.0, 0.0), False),  # no lull
        (Gap(20, "cut", -4.0, 0.0), False),
        (Gap(20, "cut", 6.0, 0.5), False),  # somebody speaks
        (Gap(20, "cut", 20.0, 0.5), True),  # between two sentences: it is as good as silent
        (Gap(4, "cut", None, 0.0), False),  # too early
        (Gap(58, "cut", None, 0.0), False),  # so near to the end, the end will do
        (Gap(60, "end", -3.0, 0.5), True),
        (Gap(31, "cut", None, 0.0), False),  # a subtitle stands
    ],
)
def test_when_a_video_may_be_interrupted(gap: Gap, may: bool) -> None:
    assert may_interrupt(gap, Rhythm(60.0, (gap,)), Rules(), [(30.0, 32.0)]) is may


def test_places_keep_apart_and_are_no_more_than_asked(services: Services, add: Add) -> None:
    gaps = [Gap(float(at_s), "cut", None, 0.0) for at_s in range(10, 60, 5)]
    add("grey wolf and dog, animals", gaps)
    found = places(propose(services, apart_s=10.0, most=4))
    assert len(found) == 4
    assert all(later - earlier >= 10 for earlier, later in pairwise(found))
    assert places(propose(services, first_s=50.0, apart_s=5.0)) == [50.0, 55.0]


def test_a_subtitle_is_somebody_who_speaks(services: Services, add: Add) -> None:
    key = "words_0_en.vtt"
    folder = services.settings.data_dir / "media"
    folder.mkdir(exist_ok=True)
    (folder / key).write_text("WEBVTT\n\n00:00:19.000 --> 00:00:21.000\nNot now\n")
    add("grey wolf and dog, animals", caption_keys=(key,))
    assert places(propose(services)) == [45.0]


def test_what_the_brand_avoids_is_left_out_by_category_and_mood_and_word(services: Services, add: Add) -> None:
    add("grey wolf and dog, animals")
    add("funny kitten and cat, comedy animals")
    assert len(titles(propose(services))) == 2
    for avoid in (Avoid(categories=("comedy",)), Avoid(moods=("funny",)), Avoid(words=("Kittens", "kitten"))):
        found = propose(services, avoid=avoid)
        assert titles(found) == ["grey wolf and dog, animals"], avoid
        assert found.avoided == 1
    assert titles(propose(services, avoid=Avoid(categories=("animals",)))) == []


def test_a_place_is_left_out_for_the_moment_before_it_or_after_it(services: Services, add: Add) -> None:
    scary = "tense dark dangerous storm, fear"
    gaps = (Gap(20.0, "cut", None, 0.0), Gap(40.0, "cut", None, 0.0))
    add("wolf and dog, animals", gaps, clips=("dog, animals", "dog, animals", scary))
    assert places(propose(services, apart_s=5.0)) == [20.0, 40.0]
    assert places(propose(services, avoid=Avoid(moods=("tense",)), apart_s=5.0)) == [20.0]


def test_what_people_said_against_the_encoder_counts(services: Services, add: Add) -> None:
    wolf = add("funny wolf and dog, comedy animals")
    avoid = Avoid(categories=("comedy",))
    assert not propose(services, avoid=avoid).placed
    services.correct(wolf, "category", "comedy", False)
    assert titles(propose(services, avoid=avoid)) == ["funny wolf and dog, comedy animals"]


def test_a_video_that_cannot_be_read_is_said_and_the_others_come(
    services: Services, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("grey wolf and dog, animals")
    add("kitten and dog, animals")
    of = services.ads.rhythms.of

    def broken(entry, on_progress):
        if "wolf" in entry.title:
            raise MediaError("It is damaged.")
        return of(entry, on_progress)

    monkeypatch.setattr(type(services.ads.rhythms), "of", lambda self, entry, tell: broken(entry, tell))
    found = propose(services)
    assert titles(found) == ["kitten and dog, animals"]
    assert found.unreadable == ("grey wolf and dog, animals: It is damaged.",)


@pytest.mark.parametrize(
    ("held", "said"),
    [(None, "lost_0_en.vtt is no longer in the store."), (b"\xff\xfe WEBVTT", "lost_0_en.vtt in the store is damaged")],
)
def test_a_video_whose_subtitles_cannot_be_read_is_said_and_the_others_come(
    services: Services, add: Add, held: bytes | None, said: str
) -> None:
    key = "lost_0_en.vtt"
    if held is not None:
        folder = services.settings.data_dir / "media"
        folder.mkdir(exist_ok=True)
        (folder / key).write_bytes(held)
    add("grey wolf and dog, animals", caption_keys=(key,))
    add("kitten and dog, animals")
    found = propose(services)
    assert titles(found) == ["kitten and dog, animals"]
    (problem,) = found.unreadable
    assert problem.startswith(f"grey wolf and dog, animals: {said}")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(), "Say which ad"),
        (Wanted(ad="x", text="y"), "not both"),
        (Wanted(ad="nobody"), "no ad and no video"),
        (Wanted(text="dog", avoid=Avoid(moods=("grumpy",))), "grumpy"),
    ],
)
def test_what_cannot_be_asked(services: Services, add: Add, wanted: Wanted, said: str) -> None:
    add("grey wolf and dog, animals")
    with pytest.raises(QueryError, match=said):
        services.ads.placing.propose(wanted)


def test_what_is_deleted_for_good_leaves_no_rhythm(services: Services, add: Add) -> None:
    wolf = add("grey wolf and dog, animals")
    rhythms = services.settings.data_dir / "rhythms"
    services.library.trash.delete([wolf])
    assert len(list(rhythms.iterdir())) == 1
    services.library.trash.purge([wolf])
    assert not list(rhythms.iterdir())


def test_words_that_are_avoided_are_found_in_others_but_not_by_chance() -> None:
    assert has_word("Thunderstorms at sea", ["storm"])
    assert has_word("Two wars", ["war"])
    assert not has_word("A warm award", ["war"])
    assert has_word("海上的风暴", ["风暴"])
    assert not has_word("anything", ["", " "])


def test_every_reason_has_a_sentence(services: Services, add: Add) -> None:
    one: Break = _first(services, add)
    for reason in (*one.reasons, Reason("quiet", 7.4), Reason("silent"), Reason("black"), Reason("mood", label="calm")):
        assert sentence(reason, {"calm": "Calm"}).endswith(".")
    assert "7 dB" in sentence(Reason("quiet", 7.4), {})


def _first(services: Services, add: Add) -> Break:
    add("grey wolf and dog, animals")
    return propose(services).placed[0].breaks[0]


def test_no_place_is_behind_the_end_of_its_video(services: Services, add: Add) -> None:
    add("grey wolf and dog, animals", [Gap(60.04, "end", None, 0.0)])
    add("tax office, law")
    assert places(propose(services)) == [60.0]
