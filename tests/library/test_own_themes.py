"""Own categories and moods: what a change would do, the change, its way back; in a file and in a shared database."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.discover import taxonomy
from core.discover.search import Discover
from core.errors import QueryError, SettingsError
from core.library.own_themes import OwnThemes
from core.state.base import Document
from core.state.channels import ChannelBook
from core.state.documents import FileDocument, ShelvedDocument
from tests.fakes import FakeEncoder, MemoryIndex, MemoryStore, make_entries
from tests.state.conftest import OpenShelf, _prepared, database, open_shelf  # noqa: F401

HAND_MADE = '# mine\n\n[[mood]]\nid = "calm"\nlabel = "Serene"\nprompts = ["still water"]\n# the end\n'


@pytest.fixture(params=["file", "database"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Document:
    if request.param == "file":
        return FileDocument(tmp_path / "data" / "taxonomy.toml")
    from core.state.postgres import PostgresShelf

    return ShelvedDocument(PostgresShelf(request.getfixturevalue("database"), "documents"), "taxonomy.toml")


def ids(kept: Document, kind: taxonomy.Kind) -> list[str]:
    return [theme.id for theme in taxonomy.load(own=kept).themes(kind) if theme.own]


def desk(kept: Document, discover: Discover | None = None) -> OwnThemes:
    return OwnThemes(kept, discover, lambda: None)  # type: ignore[arg-type]


class TestChange:
    def test_it_keeps_its_id_place_and_icon_and_what_others_wrote_beside_it(self, kept: Document):
        kept.write(HAND_MADE)
        taxonomy.add(kept, "mood", "Cosy", ["by the fire"], "fireplace")
        taxonomy.add(kept, "mood", "Eerie", ["fog"])
        undo = desk(kept).change("mood", "cosy", "Snug & warm", ["a blanket", "tea"])
        loaded = taxonomy.load(own=kept)
        assert loaded.mood("cosy") == taxonomy.Theme("cosy", "Snug & warm", "fireplace", ("a blanket", "tea"), own=True)
        assert ids(kept, "mood") == ["calm", "cosy", "eerie"]
        assert (kept.read() or "").startswith(HAND_MADE)
        undo()
        assert taxonomy.load(own=kept).mood("cosy").label == "Cosy"

    def test_a_shipped_one_is_replaced_where_it_is_and_comes_back(self, kept: Document):
        before = [theme.id for theme in taxonomy.load().categories]
        undo = desk(kept).change("category", "nature", "Outdoors", ["woods and rivers"])
        loaded = taxonomy.load(own=kept)
        assert [theme.id for theme in loaded.categories] == before
        assert loaded.category("nature").label == "Outdoors"
        assert loaded.category("nature").own
        undo()
        assert taxonomy.load(own=kept) == taxonomy.load()
        assert kept.read() is None

    def test_the_same_name_may_stay_and_that_of_another_may_not(self, kept: Document):
        taxonomy.add(kept, "category", "Chess", ["a game of chess"])
        desk(kept).change("category", "chess", "Chess", ["chess pieces"])
        before = kept.read()
        for label, prompts in (("Nature", ["x"]), ("", ["x"]), ("Chess", [])):
            with pytest.raises(QueryError):
                desk(kept).change("category", "chess", label, prompts)
        with pytest.raises(QueryError, match="There is no category 'go'"):
            desk(kept).change("category", "go", "Go", ["x"])
        assert kept.read() == before

    def test_undo_takes_nothing_else_back(self, kept: Document):
        undo = desk(kept).change("category", "nature", "Outdoors", ["woods"])
        taxonomy.add(kept, "mood", "Cosy", ["by the fire"])
        with pytest.raises(QueryError, match="were changed since"):
            undo()
        assert ids(kept, "mood") == ["cosy"]


class TestOrder:
    def test_they_come_in_the_order_that_is_asked_for(self, kept: Document):
        for label in ("A", "B", "C"):
            taxonomy.add(kept, "mood", label, ["x"])
            taxonomy.add(kept, "category", f"Own {label}", ["x"])
        undo = desk(kept).arrange("mood", ["c", "a"])
        assert ids(kept, "mood") == ["c", "a", "b"]
        assert ids(kept, "category") == ["own-a", "own-b", "own-c"]
        undo()
        assert ids(kept, "mood") == ["a", "b", "c"]

    def test_comments_go_with_their_entry(self, kept: Document):
        kept.write('# head\n\n# warm\n[[mood]]\nid = "a"\nlabel = "A"\nprompts = ["x"]\n\n'
                   '# cold\n[[mood]]\nid = "b"\nlabel = "B"\nprompts = ["x"]')  # fmt: skip
        desk(kept).arrange("mood", ["b"])
        text = kept.read() or ""
        assert ids(kept, "mood") == ["b", "a"]
        assert (
            text.index("# head") < text.index("# cold") < text.index('"b"') < text.index("# warm") < text.index('"a"')
        )

    def test_a_list_written_by_hand_and_a_strange_id_are_refused(self, kept: Document):
        kept.write('mood = [{id = "a", label = "A", prompts = ["x"]}]\n')
        with pytest.raises(SettingsError, match="in one list"):
            desk(kept).arrange("mood", ["a"])
        with pytest.raises(QueryError, match="of your own"):
            desk(kept).arrange("category", ["nature"])


class TestEffect:
    @pytest.fixture
    def discover(self) -> Discover:
        encoder = FakeEncoder()
        index = MemoryIndex(encoder.info)
        for title in ("chess board", "chess pieces", "grey wolf", "harbour"):
            (vector,) = encoder.encode_text([title])
            index.upsert(make_entries(title, info=encoder.info, clips=1, vectors=[vector, vector]))
        return Discover(encoder=encoder, index=index, store=MemoryStore(), taxonomy=taxonomy.load())

    def test_it_is_what_the_change_does_and_writes_nothing(self, kept: Document, discover: Discover):
        taxonomy.add(kept, "category", "Games", ["harbour"])
        before, own = kept.read(), desk(kept, discover)
        effect = own.effect("category", "games", ("Games", ["chess"]))
        assert kept.read() == before
        assert (effect.looked_at, effect.videos, effect.is_all) == (4, 4, True)

        def found() -> set[str]:
            then = discover.supposing(taxonomy.load(own=kept))
            entries = [[*discover.index.scroll(video_id=e.video_id)] for e in discover.index.scroll(scope="video")]
            return {one[0].title for one in entries if "games" in then.labels(one).categories}

        had = found()
        own.change("category", "games", "Games", ["chess"])
        has = found()
        assert had != has
        assert (effect.before, effect.after) == (len(had), len(has))
        assert (set(effect.gained), set(effect.lost)) == (has - had, had - has)

    def test_of_a_removal_nothing_is_left(self, kept: Document, discover: Discover):
        taxonomy.add(kept, "category", "Games", ["chess"])
        effect = desk(kept, discover).effect("category", "games", None)
        assert effect.before == len(effect.lost) > 0
        assert (effect.after, effect.gained) == (0, ())

    def test_what_could_not_be_kept_has_none(self, kept: Document, discover: Discover):
        with pytest.raises(QueryError, match="already"):
            desk(kept, discover).effect("category", "nature", ("Sports", ["x"]))


class TestChannels:
    @pytest.fixture
    def book(self, open_shelf: OpenShelf) -> ChannelBook:  # noqa: F811
        book = ChannelBook(open_shelf("channels"))
        for name in ("One", "Two", "Three"):
            book.save(name, [("q", name)])
        return book

    @staticmethod
    def slugs(book: ChannelBook) -> list[str]:
        return [channel.slug for channel in book.channels()]

    def test_another_name_leaves_the_link(self, book: ChannelBook):
        book.rename("two", "  Second ")
        assert [(one.name, one.slug) for one in book.channels()][1] == ("Second", "two")
        book.rename("two", "SECOND")
        for slug, name, says in (("two", "one", "already"), ("gone", "New", "not there"), ("two", " ", "missing")):
            with pytest.raises(QueryError, match=says):
                book.rename(slug, name)
        assert book.save("Second", [("q", "x")]).slug == "two"

    def test_they_come_in_the_order_that_is_asked_for_and_new_ones_last(self, book: ChannelBook):
        book.arrange(["three", "nobody", "one"])
        assert self.slugs(book) == ["three", "one", "two"]
        book.save("Four", [("q", "x")])
        assert self.slugs(book) == ["three", "one", "two", "four"]

    def test_a_deleted_one_comes_back_as_it_was(self, book: ChannelBook):
        order, two = self.slugs(book), book.channels()[1]
        book.delete("two")
        book.put_back(two, order)
        assert book.channels()[1] == two
        book.put_back(two, order)
        assert self.slugs(book) == order
