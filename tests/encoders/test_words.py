"""Reading words: what file names, titles and queries say, through the path the product takes."""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from core.discover import taxonomy
from core.discover.composition import LABEL_SHARE
from core.discover.relevance import Origin
from core.encoders import words
from core.encoders.layout import LAYOUT
from core.encoders.local import INFO, LocalEncoder, video_vector, video_words
from core.encoders.percepts import PERCEPTS
from core.encoders.words import CONCEPTS, HASHED, read
from core.errors import EncoderError
from core.ingest.titles import title_of
from core.models import MediaInfo, Video

ENCODER = LocalEncoder()
ORIGIN = Origin(np.zeros(INFO.dimension, np.float32), 1.0)
NOISE = 0.095
"""Cosine below which a text and a title have nothing to say to each other."""
THEMES = taxonomy.load()
NO_PERCEPTS, NO_LAYOUT = np.zeros(len(PERCEPTS), np.float32), np.zeros(LAYOUT, np.float32)

# Names as people have them, with every category a person would file them under. Some say nothing.
NAMES = """
GOPR1234 surfing.mp4: sports, adventure
v_ApplyEyeMakeup_g01_c01.avi:
pexels-video-854132.mp4:
traffic_highway_4k.mp4: technology, travel
jellyfish-3-mbps-hd.mkv: animals, nature
person-bicycle-car-detection.mp4: technology
head-pose-face-detection-female.mp4: technology
fruit-and-vegetable-detection.mp4: food, technology
bottle-detection.mp4: technology
store-aisle-detection.mp4: technology
worker-zone-detection.mp4: technology
one-by-one-person-detection.mp4: technology
license_plate_cctv_night.mp4: technology
charlie_chaplin_the_kid.mp4: comedy
night of the living dead trailer.mp4:
elephants_dream_1080p.webm: animation, 3d-animation
caminandes_llamigos.mp4: animation, 3d-animation, comedy
Caminandes 3 - Gran Dillama.webm: animation, 3d-animation, comedy
agent_327_barbershop.mp4: animation, 3d-animation
cosmos_laundromat_first_cycle.mkv: animation, 3d-animation
sprite fright (Blender open movie).mp4: animation, 3d-animation
spring-blender-4k.mp4: animation, 3d-animation
low poly character walk cycle.mp4: animation, 3d-animation
shrek_scene.mp4: animation, 3d-animation, comedy
toy-story-clip.avi: animation, 3d-animation, kids, family
cgi_short_film_dragon.mp4: animation, 3d-animation, fantasy
rendered spheres houdini fx.mov: animation, 3d-animation
bear.mp4: animals, nature
earth_rotating.mov: documentary, technology, education
kids_playing_lego.mp4: kids, family
grandma birthday.mov: family
IMG_2034 beach sunset.MOV: nature, travel
robot_arm_demo.mp4: technology, sci-fi
lecture_3_linear_algebra.mp4: education
Ski-Run-2019.mp4: sports, adventure
ice_skating_final.mp4: sports
duck_and_cover.ogv: education, documentary
stop_motion_clay_cat.mp4: animation, stop-motion
anime_opening.mkv: animation, anime
tokyo street food walk.mp4: food, travel
waterfall drone.mp4: nature, travel
steamboat_willie.mkv: animation, traditional-animation, cartoon, comedy
cat_vs_cucumber.mp4: animals, comedy, family
my trip to iceland vlog.mp4: travel
Lego Stop Motion - The Heist.mp4: animation, stop-motion, kids
wallace_and_gromit_clip.avi: animation, stop-motion, comedy
claymation_monster.mov: animation, stop-motion, fantasy
puppet animation test.mp4: animation, stop-motion
paper_cutout_animation.mp4: animation, stop-motion
plasticine man frame by frame.mp4: animation, stop-motion
brickfilm_pirates.mp4: animation, stop-motion, adventure
naruto_fight_amv.mp4: animation, anime
studio ghibli scenery.mkv: animation, anime
manga_speed_drawing.mp4: animation, anime
sailor moon transformation.mp4: animation, anime
attack-on-titan-ep-5.mkv: animation, anime
betty_boop_snow_white_1933.avi: animation, traditional-animation, cartoon, comedy
gertie the dinosaur 1914.ogv: animation, traditional-animation, cartoon
felix_the_cat.mp4: animation, traditional-animation, cartoon, comedy
superman_fleischer_1941.mkv: animation, traditional-animation, cartoon, adventure
hand drawn flipbook.mov: animation, traditional-animation
bugs bunny cartoon.mp4: animation, traditional-animation, cartoon, comedy, kids
tom-and-jerry-kitchen.mp4: animation, traditional-animation, cartoon, comedy, kids
cartoon_duck_dancing.webm: animation, cartoon, kids
peppa pig episode.mp4: animation, cartoon, kids, family
funny cartoon cat.mp4: animation, cartoon, comedy, kids
scooby_doo_mystery.avi: animation, cartoon, kids
whiteboard animation how solar works.mp4: animation, education
motion graphics logo.mov: animation
nursery_rhyme_wheels_on_the_bus.mp4: kids, family, music
toddler-first-steps.mp4: family, kids
alphabet song for kids.mp4: kids, education, music
toy_unboxing_dolls.mp4: kids, family
playground slide swings.mp4: kids, family
puppet_show_kindergarten.mp4: kids
baby laughing.3gp: family, kids
family_christmas_1998.avi: family
mom and dad wedding anniversary.mp4: family
our puppy first day home.mov: family, animals
picnic with the grandparents.mp4: family
Finger Painting Preschool.mp4: kids, education
indiana jones treasure hunt.mp4: adventure
expedition_everest_2014.mp4: adventure, nature, documentary
kayaking_rapids_gopro.mp4: adventure, sports, nature
cave exploration.mkv: adventure, nature
jungle trek day 2.mp4: adventure, nature, travel
pirate_ship_battle.mp4: adventure
shipwreck island survival.mp4: adventure
sky diving over the alps.mp4: adventure, sports
desert-caravan-quest.mp4: adventure, travel
buster_keaton_the_general.mp4: comedy
stand-up comedy set.mp4: comedy
prank_compilation_2015.mp4: comedy
laurel_and_hardy_piano.avi: comedy
slapstick clown pie.mp4: comedy
sitcom bloopers.mp4: comedy
funny dog fails.mp4: comedy, animals
dragon_castle_wizard.mp4: fantasy
unicorn_enchanted_forest.mp4: fantasy
elves and dwarves.mkv: fantasy
witch potion scene.mp4: fantasy
the-fairy-tale-princess.webm: fantasy, kids
merlin_sword_in_the_stone.avi: fantasy, adventure
alien_invasion_ufo.mp4: sci-fi
cyberpunk-city-neon.mp4: sci-fi
spaceship_hangar_loop.mov: sci-fi, technology
robots fighting mech battle.mp4: sci-fi
time_machine_1960.mp4: sci-fi
metropolis_robot_1927.mkv: sci-fi
starship laser battle.mp4: sci-fi
forest_stream_relaxing.mp4: nature
mountain lake timelapse.mp4: nature
autumn_leaves_falling.webm: nature
flower-blooming-macro.mp4: nature
northern_lights_norway.mp4: nature, travel
ocean waves 4k 60fps.mp4: nature, travel
volcano-eruption-lava.mp4: nature, documentary
rain on leaves.mov: nature
snowfall_in_the_woods.mp4: nature
dew_drops_grass.mp4: nature
sunflower field drone.mp4: nature, travel
elephants at waterhole.mp4: animals, nature
wolf_pack_hunting.mp4: animals, nature
hummingbird slow motion.mp4: animals, nature
golden retriever fetch.mp4: animals, family
kitten_sleeping.mp4: animals, family
humpback_whale_breach.mkv: animals, nature
honeybees on lavender.mp4: animals, nature
horses_galloping.mov: animals, nature
frog-pond.mp4: animals, nature
squirrel eating nut.mp4: animals, nature
penguins_antarctica.mp4: animals, nature
cows_grazing_field.mp4: animals, nature
v_Basketball_g02_c03.avi: sports
v_BenchPress_g05_c01.avi: sports
v_GolfSwing_g11_c04.avi: sports
v_PoleVault_g01_c02.avi: sports
soccer_penalty_shootout.mp4: sports
marathon finish line.mp4: sports
skatepark kickflip.mp4: sports
tennis-wimbledon-final.mp4: sports
boxing_knockouts.mp4: sports
formula 1 monaco.mp4: sports, technology
yoga-morning-workout.mp4: sports
snowboarder backflip.mp4: sports, adventure
swimming 100m butterfly stroke.mp4: sports
rock_climbing_yosemite.mp4: sports, adventure, nature
pizza_recipe.mp4: food
chopping vegetables kitchen.mp4: food
espresso-latte-art.mp4: food
baking sourdough bread.mp4: food
sushi_chef_tokyo.mp4: food, travel
bbq ribs on the grill.mov: food
chocolate-cake-decorating.mp4: food
pouring_tea.mp4: food
strawberries_closeup.mp4: food
guitar_solo_live.mp4: music
PianoCover_Beethoven.mp4: music
jazz trio at the club.mp4: music
choir_rehearsal.mov: music
drum_and_bass_festival.mp4: music
v_PlayingCello_g08_c01.avi: music
violinist-street-busking.mp4: music, travel
band practice.3gp: music
orchestra_symphony_no5.mkv: music
ballet dancers swan lake.mp4: music
paris_eiffel_tower.mp4: travel
road_trip_route_66.mp4: travel, adventure
walking tour of venice.mp4: travel
hotel-pool-maldives.mp4: travel, nature
train window switzerland.mp4: travel
new_york_skyline_timelapse.mp4: travel
temple_bali_2018.MOV: travel
machu picchu hike.mp4: travel, adventure, nature
airport takeoff window seat.mp4: travel, technology
drone_factory_assembly.mp4: technology
3d-printer-timelapse.mp4: technology
rocket_launch_falcon9.mp4: technology, documentary
iss_spacewalk.mp4: technology, documentary, education
hubble_deployment_nasa.mov: technology, documentary, education
cnc_lathe_machine.mp4: technology
excavator-construction-site.mp4: technology
self driving car lidar.mp4: technology
steam_locomotive.mp4: technology, travel
python coding tutorial.mp4: technology, education
iphone_unboxing_review.mp4: technology
wind turbines at dawn.mp4: technology, nature
car-drifting-track.mp4: technology, sports
bus_station_surveillance.mp4: technology, travel
server room data center.mp4: technology
photosynthesis_explained.mp4: education
how_to_tie_a_knot.mp4: education
chemistry-experiment-classroom.mp4: education
asl_sign_thank_you.mp4: education
spanish lesson 4.mp4: education
solar_system_for_children.mp4: education, kids
ted_talk_creativity.mp4: education, documentary
history of rome lecture.mp4: education, documentary
first aid training video.mp4: education
museum_dinosaur_fossils.mp4: education, animals
ww2_newsreel_1944.mp4: documentary, education
interview_with_a_coal_miner.mp4: documentary
san_francisco_1906_archive_film.mkv: documentary, education
apollo_11_moon_landing.mov: documentary, technology, education
fishing village life.mp4: documentary
jfk-speech-1962.mp4: documentary
making of the film behind the scenes.mp4: documentary
protest_march_reportage.mp4: documentary
combine harvester wheat.mp4: documentary, nature, technology
"""
TABLE = [
    (name, frozenset(label.strip() for label in labels.split(",") if label.strip()))
    for name, labels in (line.rsplit(":", 1) for line in NAMES.strip().splitlines())
]
SILENT = [  # names that cameras, phones, sites and programs make
    "pexels-video-854132.mp4", "IMG_2034.MOV", "DSC_0042.avi", "GOPR1234.MP4", "GX010012.MP4",
    "VID_20230401_123456.mp4",
    "PXL_20230101_101010123.mp4", "MVI_0001.AVI", "DJI_0023.MP4", "Untitled 3.mov", "output_final_v2.mp4", "test.mkv",
    "WhatsApp Video 2023-01-01 at 12.34.56.mp4", "video-1080p-h264-30fps.mp4", "clip_07.mp4", "1.mp4", "movie.mp4",
    "export (1).webm", "00001.MTS", "3f2a9c7e-51ab-4c1d-9e0f-abc123def456.mp4", "d41d8cd98f00b204e9800998ecf8427e.mp4",
    "RPReplay_Final1600000000.MP4", "FullSizeRender.mov", "mixkit-4k-1920x1080.mp4", "20240102_030405.mp4", "___.mp4",
]  # fmt: skip


def titled(name: str) -> Video:
    """Return a video of which only the file name is known."""
    info = MediaInfo(10.0, 1, 160, 90, 0, 25.0, "mp4", "h264", None, "as-is", {}, "")
    return Video(Path(name), name, title_of(name, {}), "0" * 64, info)


def vector(name: str) -> np.ndarray:
    return video_vector(NO_PERCEPTS, *video_words(titled(name)), NO_LAYOUT)


def theme(name: str) -> np.ndarray:
    themes = {theme.id: theme for theme in (*THEMES.categories, *THEMES.moods)}
    return ORIGIN.ensemble(ENCODER.encode_text(themes[name].prompts), LABEL_SHARE)


CATEGORIES = tuple(theme.id for theme in THEMES.categories)
QUERIES = np.stack([theme(name) for name in CATEGORIES])


def ranked(name: str) -> list[str]:
    """Return the categories, the likeliest for this name first."""
    return [CATEGORIES[number] for number in np.argsort(-(QUERIES @ vector(name)), kind="stable")]


def meaning(text: str) -> dict[str, float]:
    """Return the concepts a text names and how strongly."""
    concepts = read(text).concepts
    return {CONCEPTS[number]: float(concepts[number]) for number in np.flatnonzero(concepts)}


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))


def area(score: np.ndarray, right: np.ndarray) -> float:
    difference = score[right][:, None] - score[~right][None, :]
    return float((difference > 1e-6).mean() + 0.5 * (np.abs(difference) <= 1e-6).mean())


# -- file names as people have them ----------------------------------------------------------------------------


def test_the_table_is_large_and_names_only_categories_there_are():
    assert len(TABLE) >= 150
    assert len({name for name, _ in TABLE}) == len(TABLE)
    assert set().union(*(labels for _, labels in TABLE)) == set(CATEGORIES)


@pytest.mark.parametrize(
    ("name", "labels"),
    [row for row in TABLE if row[1]],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_what_a_name_says_is_among_the_first_three_categories(name, labels):
    order = ranked(name)
    assert labels & set(order[:3]), f"{name}: {order[:6]}, expected {sorted(labels)}"
    worst = max(order.index(label) for label in labels)
    assert worst < 10, f"{name}: {order[worst]} is number {worst + 1}; first are {order[:6]}"


def test_every_category_finds_its_names_before_others():
    vectors = np.stack([vector(name) for name, _ in TABLE])
    areas = {}
    for category, query in zip(CATEGORIES, QUERIES, strict=True):
        right = np.array([category in labels for _, labels in TABLE])
        if right.sum() >= 3:
            areas[category] = area(vectors @ query, right)
    worst = sorted(areas.items(), key=lambda item: item[1])
    assert len(areas) == len(CATEGORIES)
    assert np.mean(list(areas.values())) >= 0.95, worst[:6]
    assert worst[0][1] >= 0.85, worst[:6]


@pytest.mark.parametrize("name", SILENT)
def test_names_that_nobody_chose_say_nothing(name):
    reading = read(name)
    assert not reading.concepts.any(), meaning(name)
    assert not reading.percepts.any()
    assert abs(QUERIES @ vector(name)).max() < NOISE


# -- categories and moods --------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [*THEMES.categories, *THEMES.moods], ids=lambda named: named.id)
def test_prompts_say_their_own_concept_at_least_as_much_as_any_other(named):
    mean = np.mean([np.minimum(read(prompt).concepts, 1.0) for prompt in named.prompts], axis=0)
    assert mean[CONCEPTS.index(named.id)] == pytest.approx(mean.max()), CONCEPTS[int(mean.argmax())]


@pytest.mark.parametrize("named", [*THEMES.categories, *THEMES.moods], ids=lambda named: named.id)
def test_no_prompt_is_without_words_the_lexicon_knows(named):
    for prompt in named.prompts:
        reading = read(prompt)
        assert reading.concepts.any() or reading.percepts.any(), prompt


def test_every_concept_has_words_and_its_name_is_not_all():
    tables = tomllib.loads(words.LEXICON_PATH.read_text("utf-8"))["concept"]
    for name in CONCEPTS:
        assert tables[name]["words"].count(",") >= 9, name


@pytest.mark.parametrize(
    ("text", "named", "unnamed"),
    [
        ("storm at sea", {"sea-beach", "sky-weather", "nature"}, {"food", "comedy", "kids"}),
        ("a dog on grass", {"dog", "animals", "field-farm"}, {"food", "cat", "music"}),
        ("something scary but slow", {"horror", "tense"}, {"comedy", "sports"}),
        ("happy children playing", {"joyful", "kids", "child", "family"}, {"horror", "sports", "technology"}),
        ("robots fighting in a ruined hall", {"robot", "sci-fi", "war-battle", "building"}, {"food", "nature", "kids"}),
        ("film noir", {"classic-film", "crime-mystery"}, {"kids", "food"}),
        ("a hot dog with mustard", {"food", "meal"}, {"dog", "animals"}),
        ("the space station at night", {"space", "night", "technology"}, {"train", "food"}),
        ("kayaking rapids", {"water-sport", "river-lake", "adventure"}, {"motor-racing"}),
        ("wolves howling at the full moon", {"wild-mammal", "animals"}, {"food", "car"}),
    ],
)  # fmt: skip
def test_queries_name_what_they_ask_for_and_not_what_they_do_not(text, named, unnamed):
    known = meaning(text)
    assert all(known.get(name, 0) >= 0.4 for name in named), known
    assert not unnamed & known.keys(), known


def test_a_query_about_paperwork_asks_for_no_category():
    known = meaning("quarterly tax filing")
    assert not {name for name, weight in known.items() if weight >= 0.3} & set(CATEGORIES), known


def test_slow_asks_for_little_motion_and_scary_for_the_dark():
    asked = dict(zip(PERCEPTS, read("something scary but slow").percepts, strict=True))
    assert asked["motion"] < 0 < asked["stillness"]
    assert asked["darkness"] > 0


# -- stems, compounds and words that only look like others -------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("wolves", "wolf portrait"), ("snowboard", "snowboarder"), ("baking", "bakes"), ("baked", "bakers"),
        ("mice", "mouse"), ("running", "runner"), ("swimmers", "swimming"), ("puppies", "puppy"), ("foggy", "fog"),
        ("danced", "dancers"), ("skating", "skaters"), ("children", "child"), ("cities", "city"), ("drove", "driving"),
        ("color", "colours"), ("ploughing", "plowed"), ("volcanoes", "volcano"), ("heroes", "hero"),
        ("quietly", "quiet"),
        ("SkiRun", "ski_run"), ("café", "cafe"), ("geese", "goose"), ("guitar", "guitarist"),
        ("quokkas", "quokka"), ("blorfing", "blorfed"), ("dog's", "dogs"),
    ],
)  # fmt: skip
def test_forms_of_a_word_meet(one, other):
    assert cosine(read(one).hashed, read(other).hashed) > 0.55


@pytest.mark.parametrize(("one", "other"), [("slow-motion", "SlowMotion"), ("time lapse", "timelapse")])
def test_phrases_are_known_as_one_word_too(one, other):
    assert meaning(one) == meaning(other) != {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("lakehouse", {"river-lake", "building"}), ("doghouse", {"dog"}), ("zorrowolf", {"wild-mammal"}),
        ("marshberry", {"food"}), ("dogmonger", {"dog"}),
        ("windhouse", {"sky-weather"}), ("brosurfing", {"water-sport"}), ("forestwalks", {"forest"}),
        ("funniest", {"funny"}), ("rainy", {"sky-weather"}), ("guitarists", {"instrument"}),
        ("dragonlike", {"monster"}),
    ],
)  # fmt: skip
def test_a_word_nobody_listed_is_read_by_its_parts(text, named):
    assert named <= meaning(text).keys()


@pytest.mark.parametrize(("text", "named"), [("{}berry", "food"), ("{}berries", "food"), ("lake{}", None)])
def test_a_word_of_any_length_is_looked_up_in_as_few_places(monkeypatch, text, named):
    """A damaged file of subtitles may have one of 200,000 letters."""
    places = []

    def counted(function):
        return lambda *given: places.append(None) or function(*given)

    monkeypatch.setattr(words._Lexicon, "_is_head", counted(words._Lexicon._is_head))
    monkeypatch.setattr(words, "_singular", counted(words._singular))
    looked_up = []
    for letters in (500, 2000):
        places.clear()
        meant = meaning(text.format("xq" * letters))
        assert named in meant if named else not meant
        looked_up.append(len(places))
    assert 0 < looked_up[1] == looked_up[0] < 500


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("butterfly", "meal"), ("butterfly", "aircraft"), ("carpet", "pet"), ("carpet", "car"), ("seahorse", "horse"),
        ("starfish", "space"), ("hotdog", "dog"), ("sunflower", "space"), ("office chair", "hair"), ("corner", "food"),
        ("manual", "man"), ("catalog", "cat"), ("ballot", "ball-game"), ("marketing", "shop"), ("training", "train"),
        ("trainer", "train"), ("scary", "car"), ("history", "talk-interview"), ("person", "family"),
        ("season", "family"), ("season", "sea-beach"), ("reason", "sea-beach"), ("planet", "flower-plant"),
        ("seasoning", "nature"), ("boxes", "combat-sport"), ("bowl", "ball-game"), ("bowling", "food"),
        ("chilling", "calm"), ("milking", "drink"), ("bottling", "drink"),
        ("blue", "music"), ("ice", "baking"), ("park", "car"), ("land", "aircraft"), ("meet", "office"),
        ("cross", "traffic"), ("herring", "woman"), ("password", "war-battle"), ("request", "adventure"),
        ("suppress", "news"), ("satisfaction", "energetic"), ("demonstrate", "horror"), ("discover", "dance"),
        ("community", "3d-animation"), ("disco", "science"), ("signature", "nature"), ("carry", "car"), ("busy", "car"),
        ("factor", "education"), ("ready", "school"), ("minor", "factory"), ("covers", "sea-beach"),
        ("ears", "fashion"),
        ("workspace", "space"), ("discussing", "singing"), ("parliament", "family"), ("transparent", "family"),
        ("kidding", "kids"), ("tired", "car"), ("improve", "comedy"), ("failed", "comedy"), ("matching", "sports"),
        ("swallowing", "bird"), ("bearing", "wild-mammal"), ("ducking", "bird"), ("waving", "sea-beach"),
        ("marble", "toy"), ("brainwashing", "chores"), ("constrained", "train"), ("hyper", "energetic"),
        ("unhappy", "joyful"), ("headless", "person"), ("marshal", "space"), ("extension", "tense"), ("peter", "pet"),
        ("selfish", "fish-sea-life"), ("friendship", "ship-boat"), ("petty", "pet"), ("latter", "drink"),
        ("pluto", "traditional-animation"), ("maya", "3d-animation"), ("enterprise", "sci-fi"), ("mars", "horse"),
    ],
)  # fmt: skip
def test_a_word_in_a_word_is_not_that_word(text, wrong):
    assert wrong not in meaning(text), meaning(text)


@pytest.mark.parametrize(
    "word",
    "about account across address advice afraid against agree allow amount answer apply argue arrive attempt average "
    "because become belong between beyond borrow brief careless catalog cause certain choose collect common compare "
    "complete concern consider contain continue correct decide deliver depend describe different difficult discover "
    "division double doubt effect enough ensure except express factor favour figure finally foreign forget formal "
    "forward general handy however include instead intend manner matter measure mention moment moreover "
    "necessary notice obvious occur offer ordinary owner particular perhaps possible prepare pretend probably problem "
    "proper prove quality quantity rather ready reason receive recently refuse relate remain remove repeat request "
    "require restart result return satisfy select separate serious several similar simple sincere situation somewhat "
    "standard suggest support suppose suppress surface template therefore though threshold totally "
    "transfer typical usual various version willing within worth".split(),
)
def test_ordinary_words_without_a_subject_name_no_category(word):
    known = meaning(word)
    assert not {name for name in CATEGORIES if known.get(name, 0) >= 0.3}, known


def test_no_word_means_things_that_contradict_each_other():
    against = [
        ("calm", "energetic"), ("joyful", "melancholic"), ("joyful", "tense"), ("calm", "tense"), ("funny", "horror"),
        ("romantic", "horror"), ("food", "horror"), ("food", "war-battle"), ("food", "technology"), ("kids", "horror"),
        ("cat", "dog"), ("desert", "snow-ice"), ("sports", "food"), ("animals", "food"), ("animals", "technology"),
        ("baby", "war-battle"), ("anime", "3d-animation"), ("stop-motion", "3d-animation"), ("cartoon", "documentary"),
        ("3d-animation", "documentary"), ("nature", "computer"), ("funny", "melancholic"), ("wedding", "horror"),
    ]  # fmt: skip
    meant = {  # Halloween is for children and scary; food is prepared and spaghetti a kind of western.
        ("kids", "horror"): {"halloween"},
    }
    wrong = []
    for left, right in against:
        pair = [CONCEPTS.index(left), CONCEPTS.index(right)]
        for key, known in words._lexicon().meanings.items():
            if (known.concepts[pair] >= 0.6).all() and key not in meant.get((left, right), ()):
                wrong.append(f"{key}: {left} and {right}")
    assert not wrong


# -- negation, other scripts, long texts -------------------------------------------------------------------------


def test_not_takes_back_what_the_next_word_asks_for():
    dark, light = read("dark").percepts, read("not dark").percepts
    assert dark[PERCEPTS.index("darkness")] > 0 > light[PERCEPTS.index("darkness")]
    assert meaning("no dogs") == {}
    assert meaning("cats without dogs") == meaning("cats")
    assert meaning("not scary, dogs").keys() == meaning("dogs").keys()


@pytest.mark.parametrize(
    "text", ["東京の夜景", "собака играет", "मेरा कुत्ता", "การเดินทาง", "العائلة", "강아지 산책", "😀🎉", "Ünïcödé"]
)
def test_words_of_every_script_find_themselves(text):
    reading = read(text)
    assert np.isfinite(reading.hashed).all()
    if any(letter.isalpha() for letter in text):
        assert cosine(reading.hashed, read(f"{text} 2023").hashed) > 0.7


def test_part_of_a_japanese_title_finds_it():
    assert cosine(read("東京").hashed, read("東京の夜景").hashed) > 0.25


def test_strangers_share_next_to_nothing():
    strangers = (
        "quokka harbour zeppelin saffron mortgage violin asphalt penguin lullaby cathedral trombone glacier "
        "sandwich telescope umbrella wrestling porcelain hurricane blacksmith algebra"
    ).split()
    likeness = np.array([cosine(read(a).hashed, read(b).hashed) for a, b in combinations(strangers, 2)])
    assert abs(likeness.mean()) < 0.02
    assert abs(likeness).max() < 0.30
    assert HASHED >= 190  # what keeps the two figures above; layouts took 27 of them


def test_a_word_said_often_counts_at_most_twice():
    assert read("dog " * 500).concepts.max() == pytest.approx(2.0, abs=0.01)
    assert read("dog").concepts.max() == pytest.approx(1.0)


def test_long_subtitles_ask_for_each_different_word_once():
    lines = [f"the dog runs to the river and sees q{chr(97 + n % 26)}x{chr(97 + n // 26)}z" for n in range(240)]
    text = "\n".join(lines)
    assert len(text.split()) >= 2000
    words._vector.cache_clear()
    first = read(text)
    asked = words._vector.cache_info().misses
    again = read(text)
    assert asked <= len(set(text.split()))
    assert words._vector.cache_info().misses == asked
    assert np.array_equal(first.concepts, again.concepts)
    assert meaning(text)["dog"] == pytest.approx(2.0, abs=0.01)


def test_what_is_read_cannot_be_changed_for_others():
    with pytest.raises(ValueError, match="read-only"):
        words._vector(("dog",), False)[0] = 1.0


# -- a broken lexicon --------------------------------------------------------------------------------------------


@pytest.fixture
def lexicon(tmp_path, monkeypatch):
    """Return a function that reads this text as the lexicon, and put the real one back afterwards."""
    path = tmp_path / "lexicon.toml"
    monkeypatch.setattr(words, "LEXICON_PATH", path)

    def load(text: str) -> words._Lexicon:
        path.write_text(text, "utf-8")
        words._lexicon.cache_clear()
        return words._lexicon()

    yield load
    words._lexicon.cache_clear()


REAL = words.LEXICON_PATH.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[concept.dog", "could not be read"),
        ("", "differ in"),
        (REAL.replace("[concept.dog]", "[concept.dragonfly]"), "differ in: dog, dragonfly"),
        (REAL.replace("implies = { pet = 0.9,", "implies = { pett = 0.9,", 1), "there is no 'pett'"),
        (REAL.replace("percepts = { brightness", "percepts = { brightnes", 1), "there is no 'brightnes'"),
        (REAL.replace("implies = { pet = 0.9,", 'implies = { pet = "much",', 1), "a number"),
        (REAL.replace('words = "dog, ', 'words = "mp4, dog, ', 1), "'mp4'"),
        (REAL.replace('words = "dog, dogs', 'words = ["dog"] # "', 1), "words separated by commas"),
        ("concept = 3", "a table"),
    ],
)
def test_a_broken_lexicon_is_a_sentence_that_names_the_place(lexicon, text, says):
    with pytest.raises(EncoderError, match=says):
        lexicon(text)


def test_a_lexicon_that_is_not_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(words, "LEXICON_PATH", tmp_path / "none.toml")
    words._lexicon.cache_clear()
    with pytest.raises(EncoderError, match="Restore it"):
        words._lexicon()
    words._lexicon.cache_clear()
