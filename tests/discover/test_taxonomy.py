"""The taxonomy file: what is in it, and the sentence for each way to break it."""

import threading

import pytest

from core.discover import taxonomy
from core.discover.taxonomy import Theme
from core.errors import QueryError, SettingsError, StoreError

CATEGORIES = (
    "animation 3d-animation traditional-animation stop-motion anime cartoon kids family adventure comedy fantasy "
    "sci-fi nature animals sports food music travel technology education documentary"
).split()


def test_the_shipped_taxonomy_has_what_people_press():
    loaded = taxonomy.load()
    assert {theme.id for theme in loaded.categories} >= set(CATEGORIES)
    assert [theme.id for theme in loaded.moods] == (
        ["joyful", "calm", "energetic", "tense", "melancholic", "dreamy", "funny", "romantic"]
    )


def test_what_is_drawn_or_made_by_a_computer_or_of_clay_is_animation():
    categories = taxonomy.load().categories
    implying = [theme.id for theme in categories if theme.implies == "animation"]
    assert implying == ["3d-animation", "traditional-animation", "stop-motion", "anime", "cartoon"]
    places = taxonomy.implied(categories)
    assert [categories[place].id for place in places if place is not None] == ["animation"] * 5


def test_themes_are_found_by_id_or_label_whatever_the_case():
    loaded = taxonomy.load()
    assert loaded.category("Sci-Fi") is loaded.category("sci-fi") is loaded.category(" SCI-FI ")


def test_an_unknown_one_names_the_allowed_ones():
    with pytest.raises(QueryError) as caught:
        taxonomy.load().mood("grumpy")
    assert "joyful" in str(caught.value)
    assert "joyful" in caught.value.details["mood"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("this is = not [toml", "could not be read as TOML"),
        ("", "has no [[category]]"),
        ('[[category]]\nid = "a"\nlabel = "A"', "has no 'prompts'"),
        ('[[category]]\nid = "A b"\nlabel = "A"\nprompts = ["x"]', "lower-case"),
        ('[[category]]\nid = "a"\nlabel = "A"\nprompts = "x"', "list of phrases"),
        ('[[category]]\nid = "a"\nlabel = "A"\nprompts = ["x"]\n' * 2, "same id"),
        ('[[category]]\nid = "a"\nlabel = "A"\nprompts = ["x"]\nimplies = "b"', "which is no other category"),
        ('[[category]]\nid = "a"\nlabel = "A"\nprompts = ["x"]\nimplies = "a"', "which is no other category"),
        ('[[category]]\nid = "a"\nlabel = "A"\nprompts = ["x"]\nimplies = ["a"]', "which is no other category"),
    ],
)
def test_a_broken_file_gets_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "taxonomy.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"taxonomy\.toml") as caught:
        taxonomy.load(path)
    assert sentence in str(caught.value)


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(SettingsError, match="could not be read"):
        taxonomy.load(tmp_path / "none.toml")


@pytest.fixture
def own(tmp_path):
    return tmp_path / "data" / "taxonomy.toml"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def entry(id_, kind="mood", label="A", prompts='["x"]'):
    return f'[[{kind}]]\nid = "{id_}"\nlabel = "{label}"\nprompts = {prompts}\n'


NASTY = (
    'say "hi"',
    "it's",
    "back\\slash\\",
    "two\nlines\r\n",
    '"""',
    "'''",
    "\\u0041",
    "tab\tand\x00nul\x1b\x7f\x85\u2028",
    "[[category]]",
    '\n[[mood]]\nid = "x"',
    "# no comment",
    "狼 🎉 \U0010ffff",
    "ｗｉｄｅ",
    "]",
    "{{x}} ${y} %s",
)


class TestOwn:
    def test_no_file_of_ones_own_is_needed(self, own):
        assert taxonomy.load(own=own) == taxonomy.load()
        assert not any(theme.own for theme in taxonomy.load().moods)

    def test_own_entries_come_after_the_shipped_ones(self, own):
        cosy = taxonomy.add(
            own, "mood", " Cosy evening ", ["by the fire", " warm light ", "", "by the fire"], "fireplace"
        )
        assert cosy == Theme("cosy-evening", "Cosy evening", "fireplace", ("by the fire", "warm light"), own=True)
        chess = taxonomy.add(own, "category", "Chess", ["a game of chess"])
        assert chess.icon == "label"
        loaded, shipped = taxonomy.load(own=own), taxonomy.load()
        assert loaded.moods == (*shipped.moods, cosy)
        assert loaded.categories == (*shipped.categories, chess)
        assert loaded.mood("COSY EVENING") is loaded.mood("cosy-evening")

    def test_one_with_a_shipped_id_takes_its_place_until_it_is_removed(self, own):
        write(own, entry("calm", label="Serene"))
        loaded = taxonomy.load(own=own)
        assert loaded.mood("calm") == Theme("calm", "Serene", "label", ("x",), own=True)
        assert [theme.id for theme in loaded.moods] == [theme.id for theme in taxonomy.load().moods]
        taxonomy.remove(own, "mood", "calm")
        assert taxonomy.load(own=own) == taxonomy.load()

    def test_an_id_is_found_before_a_label_that_spells_it(self, own):
        write(own, entry("first", label="second") + entry("second", label="B"))
        assert taxonomy.load(own=own).mood("second").id == "second"

    @pytest.mark.parametrize("text", NASTY)
    def test_any_text_survives_the_file(self, own, text):
        label = "".join(c for c in text if c.isprintable())[:30]
        added = taxonomy.add(own, "category", label, [text, "plain"])
        taxonomy.add(own, "mood", "After", ["x"])
        assert added.prompts == (text.strip(), "plain")
        assert taxonomy.load(own=own).categories[-1] == added

    def test_all_at_once_survive_and_go_one_by_one(self, own):
        for number, text in enumerate(NASTY):
            taxonomy.add(own, "mood", f"Mood {number}", [text])
        for number in sorted(range(len(NASTY)), key=lambda n: n * 7 % len(NASTY)):
            before = taxonomy.load(own=own).moods
            taxonomy.remove(own, "mood", f"mood-{number}")
            assert taxonomy.load(own=own).moods == tuple(theme for theme in before if theme.id != f"mood-{number}")
        assert taxonomy.load(own=own) == taxonomy.load()

    def test_labels_of_other_scripts_get_an_id(self, own):
        ids = [taxonomy.add(own, "mood", label, ["x"]).id for label in ("Спокойно", "静か", "🎉", "Café")]
        assert [id_.partition("-")[0] for id_ in ids] == ["mood", "mood", "mood", "cafe"]
        assert len(set(ids)) == 4
        with pytest.raises(QueryError, match="already"):
            taxonomy.add(own, "mood", "СПОКОЙНО", ["x"])

    @pytest.mark.parametrize(
        ("label", "prompts", "icon", "sentence"),
        [
            ("", ["x"], "label", "label of a mood is missing"),
            ("x" * 31, ["x"], "label", "at most 30 characters"),
            ("two\nlines", ["x"], "label", "one line"),
            ("A", [], "label", "1 to 12 different phrases"),
            ("A", [" ", "\n"], "label", "1 to 12 different phrases"),
            ("A", [str(number) for number in range(13)], "label", "this one has 13"),
            ("A", ["x" * 101], "label", "at most 100 characters"),
            ("A", ["\udc80"], "label", "no text"),
            ("A", ["x"], "la bel", "icon"),
            ("A", ["x"], ":label:", "icon"),
            ("A", ["x"], "", "icon"),
            ("A", ["x"], "label\n", "icon"),
            ("Calm", ["x"], "label", "already"),
            ("calm!", ["x"], "label", "already"),
            ("Ｃａｌｍ", ["x"], "label", "already"),
            ("Any", ["x"], "label", "no mood at all"),
        ],
    )
    def test_what_cannot_be_kept_gets_a_sentence(self, own, label, prompts, icon, sentence):
        with pytest.raises(QueryError, match=sentence):
            taxonomy.add(own, "mood", label, prompts, icon)
        assert not own.exists()

    def test_a_label_that_an_entry_has_under_another_id_is_taken(self, own):
        write(own, entry("other", label="Cosy"))
        with pytest.raises(QueryError, match="already"):
            taxonomy.add(own, "mood", "cosy", ["x"])

    def test_a_category_may_be_called_like_a_mood(self, own):
        assert taxonomy.add(own, "category", "Calm", ["x"]).id == "calm"

    def test_the_longest_do(self, own):
        prompts = [f"{number:02}" + "x" * 98 for number in range(12)]
        taxonomy.add(own, "mood", "狼" * 30, prompts)
        assert taxonomy.load(own=own).moods[-1].prompts == tuple(prompts)

    def test_what_people_wrote_in_the_file_stays(self, own):
        mine = "# mine\n\n# warm ones\n" + entry("a") + "# cold ones\n" + entry("b") + "# the end"
        write(own, mine)
        taxonomy.add(own, "mood", "Cosy", ["x"])
        assert own.read_text("utf-8").startswith(mine)
        taxonomy.remove(own, "mood", "a")
        assert own.read_text("utf-8").startswith("# mine\n\n# cold ones\n" + entry("b") + "# the end")
        assert [theme.id for theme in taxonomy.load(own=own).moods if theme.own] == ["b", "cosy"]

    def test_kinds_that_take_turns_stay_where_they_are_with_their_comments(self, own):
        texts = {
            "a": "# warm\n" + entry("a"),
            "c": "\n# about cats\n" + entry("c", kind="category"),
            "b": "# cold\n" + entry("b") + "[mood.more]\nkey = 1\n\n",
            "d": "  # indented\n  [[ category ]]  # at its side\n" + "\n".join(entry("d").split("\n")[1:]),
            "e": "# last\r\n" + entry("e").replace("\n", "\r\n") + "# the end\r\n",
        }
        own.parent.mkdir()
        for kind, id_ in (("mood", "a"), ("category", "c"), ("mood", "b"), ("category", "d"), ("mood", "e")):
            own.write_bytes(("# mine\n\n" + "".join(texts.values())).encode())
            taxonomy.remove(own, kind, id_)
            rest = "# mine\n\n" + "".join(text for name, text in texts.items() if name != id_)
            assert own.read_bytes().decode().split() == rest.split()
            assert (b"# the end\r\n" in own.read_bytes()) == (id_ != "e")
            assert id_ not in [theme.id for theme in taxonomy.load(own=own).themes(kind)]

    @pytest.mark.parametrize(
        "text",
        [
            entry("a", prompts='["""\\n# x"""]').replace("\\n", "\n") + entry("b"),
            entry("b", prompts='[\n"""\n[[mood]]\n# y""",\n"z"]') + entry("a") + "[other]\nkey = 1\n",
            entry("a", prompts='["""\n[[mood]]\nid = 1\n"""]') + entry("b"),
            entry("b") + entry("a", prompts='[\n  "x",\n  # note\n  "y",\n]'),
            entry("b") + entry("a") + "[mood.more]\nkey = 1\n\n[mood.more.still]\n" + entry("c", kind="category"),
            "title = 1\n" + entry("b") + "  [[ mood ]]\nid = 'a'\nlabel = 'A'\nprompts = ['x']",
            "\r\n".join([*entry("a").split("\n"), *entry("b").split("\n")]),
        ],
    )
    def test_an_entry_goes_however_it_is_written(self, own, text):
        write(own, text)
        others = [theme for theme in taxonomy.load(own=own).moods if theme.id != "a"]
        taxonomy.remove(own, "mood", "a")
        assert list(taxonomy.load(own=own).moods) == others

    def test_an_entry_that_only_its_author_can_take_out_gets_a_sentence(self, own):
        text = "mood = [{id = 'a', label = 'A', prompts = ['x']}, {id = 'b', label = 'B', prompts = ['x']}]\n"
        write(own, text)
        with pytest.raises(SettingsError, match="by hand"):
            taxonomy.remove(own, "mood", "a")
        with pytest.raises(SettingsError, match="could not be read as TOML"):
            taxonomy.add(own, "mood", "Cosy", ["x"])
        assert own.read_text() == text

    def test_what_is_not_ones_own_cannot_be_removed(self, own):
        taxonomy.add(own, "mood", "Cosy", ["x"])
        for kind, id_ in (("mood", "calm"), ("mood", "none"), ("category", "cosy")):
            with pytest.raises(QueryError, match="of your own"):
                taxonomy.remove(own, kind, id_)
        assert taxonomy.load(own=own).mood("cosy").own

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("this is = not [toml", "could not be read as TOML"),
            ("mood = 'calm'", r"write each mood as a table"),
            ("mood = ['calm']", r"write each mood as a table"),
            (entry("any"), "'any' stands for"),
            (entry("a") + 'icon = ":x:"', "icon ':x:'"),
            (entry("a") * 2, "same id"),
            (b"\xff\xfe", "could not be read"),
        ],
    )
    def test_a_broken_file_gets_a_sentence_and_is_not_touched(self, own, text, sentence):
        data = text if isinstance(text, bytes) else text.encode()
        own.parent.mkdir()
        own.write_bytes(data)
        for ask in (
            lambda: taxonomy.load(own=own),
            lambda: taxonomy.add(own, "mood", "Cosy", ["x"]),
            lambda: taxonomy.remove(own, "mood", "a"),
        ):
            with pytest.raises(SettingsError, match=sentence):
                ask()
        assert own.read_bytes() == data

    def test_a_file_that_cannot_be_written_gets_a_sentence(self, own, monkeypatch):
        taxonomy.add(own, "mood", "Cosy", ["x"])
        before = own.read_bytes()

        def fail(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", fail)
        with pytest.raises(StoreError, match="No space left"):
            taxonomy.add(own, "mood", "Eerie", ["x"])
        assert own.read_bytes() == before
        assert list(own.parent.iterdir()) == [own]

    def test_threads_add_together(self, own):
        def add(name):
            for number in range(8):
                taxonomy.add(own, "mood", f"{name} {number}", ["x"])

        threads = [threading.Thread(target=add, args=(name,)) for name in ("one", "two", "three")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        added = {theme.id for theme in taxonomy.load(own=own).moods if theme.own}
        assert added == {f"{name}-{number}" for name in ("one", "two", "three") for number in range(8)}


def test_own_ones_of_another_library_come_with_their_comments_or_beside_those_that_are_here(tmp_path):
    theirs = """\
# Ours
[[category]]
id = "desks"
label = "Paper work"  # not its slug
prompts = ["tax office"]

[[mood]]
id = "calm"
label = "Quiet"
prompts = ["silence"]
"""
    fresh, kept = tmp_path / "fresh.toml", tmp_path / "kept.toml"
    assert [theme.id for theme in taxonomy.take(fresh, theirs, "export")] == ["desks", "calm"]
    assert fresh.read_text() == theirs
    assert taxonomy.take(fresh, theirs, "export") == []
    taxonomy.add(kept, "category", "Desks", ["a desk"])
    assert [theme.id for theme in taxonomy.take(kept, theirs, "export")] == ["calm"]
    there = taxonomy.load(own=kept)
    assert there.category("desks").prompts == ("a desk",)
    assert there.mood("calm").label == "Quiet"
    before = kept.read_text()
    with pytest.raises(SettingsError, match="export"):
        taxonomy.take(kept, "[[category]]\nid = 'A B'", "export")
    assert kept.read_text() == before
