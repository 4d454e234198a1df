"""The taxonomy file: what is in it, and the sentence for each way to break it."""

import pytest

from core import taxonomy
from core.errors import QueryError, SettingsError

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
