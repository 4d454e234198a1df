from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, LibraryError, MediaError
from core.index.base import video_id
from core.ingest import inspecting, titles
from core.ingest.pipeline import Pipeline, Step, Work, load_embedding, save_embedding
from core.models import ClipEmbedding, Entry, VideoEmbedding, ignore_progress
from tests.fakes import FAKE_INFO, FakeEncoder, MemoryIndex, make_entries, make_info
from tests.support import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def advance(pipeline: Pipeline, work: Work, to: Step = Step.TIDY) -> Work:
    """Run steps until the next one is `to`."""
    notes: dict[str, str] = {}
    while work.step < to:
        work = pipeline.run(work, notes, ignore_progress)
    return work


def start(path: Path | str, filename: str = "Grey wolf.mp4") -> Work:
    return Work("0" * 32, str(path), filename)


class TestSteps:
    def test_a_file_becomes_entries_media_and_a_poster(self, library: Library) -> None:
        path = library.video("Grey wolf.mp4")
        work = advance(library.pipeline, start(path))

        assert work.sha256 == inspecting.sha256(path, ignore_progress)
        assert work.video_id == video_id(work.sha256)
        assert set(library.store.blobs) == {f"{work.video_id}.mp4", f"{work.video_id}.jpg"}
        entries = list(library.index.scroll(video_id=work.video_id))
        assert sorted(entry.scope for entry in entries) == ["clip", "video"]
        for entry in entries:
            assert (entry.filename, entry.title) == ("Grey wolf.mp4", titles.title_of("Grey wolf.mp4", {}))
            assert (entry.media_key, entry.poster_key) == (work.media_key, work.poster_key)
            assert (entry.width_px, entry.height_px, entry.has_audio) == (64, 36, False)
            assert entry.duration_s == pytest.approx(1.2, abs=0.05)
            assert entry.encoder == FAKE_INFO.name

    def test_subtitles_are_stored_beside_the_video_and_go_when_it_is_rolled_back(self, library: Library) -> None:
        path = library.video("Grey wolf.mp4")
        for language in ("en", "zh"):
            path.with_suffix(f".{language}.srt").write_text(f"1\n00:00:00,000 --> 00:00:01,000\nHowl {language}\n")
        work = advance(library.pipeline, start(path))
        keys = (f"{work.video_id}_0_en.vtt", f"{work.video_id}_1_zh.vtt")
        assert work.caption_keys == keys
        assert b"00:00:00.000 --> 00:00:01.000\nHowl zh" in library.store.blobs[keys[1]]
        assert {entry.caption_keys for entry in library.index.scroll(video_id=work.video_id)} == {keys}
        library.index.delete(work.video_id)
        library.pipeline.roll_back(work)
        assert not library.store.blobs

    def test_the_clips_are_written_before_the_video_that_stands_for_all(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scopes: list[str] = []
        upsert = library.index.upsert

        def spy(entries: list[Entry]) -> None:
            scopes.extend(entry.scope for entry in entries)
            upsert(entries)

        monkeypatch.setattr(library.index, "upsert", spy)
        advance(library.pipeline, start(library.video("a.mp4")))
        assert scopes == ["clip", "video"]

    def test_ingesting_again_gives_the_same_entries(self, library: Library) -> None:
        work = advance(library.pipeline, start(library.video("a.mp4")), to=Step.INDEX)
        advance(library.pipeline, work)
        first = {(e.scope, e.start_s): e.ingested_at for e in library.index.scroll()}
        advance(library.pipeline, work)
        assert {(e.scope, e.start_s): e.ingested_at for e in library.index.scroll()} == first

    def test_the_id_of_a_video_does_not_depend_on_the_encoder(self, library: Library) -> None:
        path = library.video("a.mp4")
        one = library.pipeline.run(start(path), {}, ignore_progress)
        library.encoder.info = replace(FAKE_INFO, name="another")
        assert library.pipeline.run(start(path), {}, ignore_progress).video_id == one.video_id

    def test_a_file_over_the_cap_is_refused_before_it_is_read(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inspecting, "sha256", lambda *args: pytest.fail("it was read"))
        pipeline = library.make_pipeline(max_bytes=100)
        with pytest.raises(MediaError, match="MAX_UPLOAD_MB"):
            pipeline.run(start(library.video("a.mp4")), {}, ignore_progress)

    @pytest.mark.parametrize(
        ("limit", "said"),
        [({"max_duration_s": 1.0}, "hours and fake-v1 takes at most"), ({"max_bytes": 10}, "fake-v1 takes at most")],
    )
    def test_what_the_encoder_does_not_take_is_refused_before_it_is_stored(
        self, library: Library, limit: dict[str, float], said: str
    ) -> None:
        library.encoder.info = replace(FAKE_INFO, **limit)
        work = advance(library.pipeline, start(library.video("a.mp4")), to=Step.INSPECT)
        with pytest.raises(MediaError, match=said):
            advance(library.pipeline, work)
        assert library.store.puts == []

    def test_what_is_not_a_video_is_refused(self, library: Library, tmp_path: Path) -> None:
        text = tmp_path / "notes.mp4"
        text.write_text("not a film")
        with pytest.raises(MediaError):
            advance(library.pipeline, start(text))
        assert library.store.puts == []

    def test_a_folder_and_a_missing_file_are_told_apart(self, library: Library, tmp_path: Path) -> None:
        with pytest.raises(MediaError, match="is not a file"):
            library.pipeline.run(start(tmp_path), {}, ignore_progress)
        with pytest.raises(MediaError, match="not there any more"):
            library.pipeline.run(start(tmp_path / "gone.mp4"), {}, ignore_progress)

    def test_a_name_too_long_for_a_file_is_not_there(self, library: Library, tmp_path: Path) -> None:
        with pytest.raises(MediaError, match="not there any more"):
            library.pipeline.run(start(tmp_path / ("n" * 300)), {}, ignore_progress)

    def test_a_step_before_its_time_is_a_fault_of_ours_and_touches_nothing(self, library: Library) -> None:
        work = replace(start(library.video("a.mp4")), step=Step.STORE)
        with pytest.raises(RuntimeError, match="before the one that it needs"):
            library.pipeline.run(work, {}, ignore_progress)
        assert library.store.blobs == {}

    def test_subtitles_beside_the_file_are_read(self, library: Library) -> None:
        path = library.video("a.mp4")
        for ending, words in ((".srt", "A wolf"), (".en.srt", "The wolf sings"), (".de.forced.vtt", "Der Wolf singt")):
            path.with_name("a" + ending).write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{words}\n")
        given: list[str] = []
        library.encoder.before_video = lambda video: given.append(video.info.subtitles)
        advance(library.pipeline, start(path), to=Step.INDEX)
        assert [sorted(text.splitlines()) for text in given] == [["A wolf", "Der Wolf singt", "The wolf sings"]]

    def test_entries_know_the_languages_of_the_subtitles(self, library: Library) -> None:
        path = library.video("a.mp4")
        for ending in (".de.srt", ".en.srt"):
            path.with_name("a" + ending).write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
        advance(library.pipeline, start(path), to=Step.TIDY)
        assert {entry.subtitle_languages for entry in library.index.scroll()} == {("de", "en")}

    def test_what_browsers_cannot_play_is_stored_as_a_copy_that_they_can(self, library: Library) -> None:
        path = library.video("a.mkv", suffix=".mkv")
        before = path.read_bytes()
        work = advance(library.pipeline, start(path))
        stored = library.root / "stored.mp4"
        stored.write_bytes(library.store.blobs[work.media_key])
        assert work.media_key.endswith(".mp4")
        assert inspecting.inspect(stored).playable == "as-is"
        assert path.read_bytes() == before

    def test_what_the_store_has_is_not_put_again(self, library: Library) -> None:
        work = advance(library.pipeline, start(library.video("a.mp4")), to=Step.STORE)
        advance(library.pipeline, work, to=Step.EMBED)
        advance(library.pipeline, work, to=Step.EMBED)
        assert library.store.puts == [work.media_key, work.poster_key]

    @pytest.mark.parametrize(("prefix", "seen"), [("https://bucket/", True), ("/app/static/media/", False)])
    def test_an_encoder_is_given_only_an_address_that_others_can_reach(
        self, library: Library, monkeypatch: pytest.MonkeyPatch, prefix: str, seen: bool
    ) -> None:
        monkeypatch.setattr(library.store, "url", lambda key: prefix + key)
        urls: list[str | None] = []
        library.encoder.before_video = lambda video: urls.append(video.url)
        work = advance(library.pipeline, start(library.video("a.mp4")))
        assert urls == [prefix + work.media_key if seen else None]

    def test_a_finished_embedding_is_not_made_again(self, library: Library) -> None:
        work = advance(library.pipeline, start(library.video("a.mp4")), to=Step.EMBED)
        first = advance(library.pipeline, work, to=Step.INDEX)
        again = advance(library.pipeline, work, to=Step.INDEX)
        assert again.seen == first.seen
        assert library.encoder.encoded == ["Grey wolf.mp4"]

    def test_a_file_that_changes_under_the_encoder_is_not_indexed(self, library: Library) -> None:
        path = library.video("a.mp4")
        library.encoder.before_video = lambda video: path.write_bytes(path.read_bytes() + b"\0")
        with pytest.raises(MediaError, match="changed while"):
            advance(library.pipeline, start(path))
        assert library.index.count().videos == 0

    def test_every_step_can_be_cancelled_by_its_progress(self, library: Library) -> None:
        def cancel(fraction: float) -> None:
            raise Cancelled

        work = start(library.video("a.mp4"))
        for step in (Step.IDENTIFY, Step.INSPECT, Step.STORE, Step.EMBED, Step.INDEX):
            assert work.step is step
            with pytest.raises(Cancelled):
                library.pipeline.run(work, {}, cancel)
            work = library.pipeline.run(work, {}, ignore_progress)

    def test_progress_goes_from_low_to_one_within_a_step(self, library: Library) -> None:
        told: list[float] = []
        work = advance(library.pipeline, start(library.video("a.mkv", suffix=".mkv")), to=Step.STORE)
        library.pipeline.run(work, {}, told.append)
        assert told == sorted(told)
        assert told[0] >= 0.0
        assert told[-1] == pytest.approx(1.0)

    def test_tidying_removes_what_is_ours_and_only_that(self, library: Library) -> None:
        path = library.video("a.mp4")
        work = advance(library.pipeline, start(path))
        library.pipeline.run(work, {}, ignore_progress)
        assert path.exists()
        assert library.leftovers() == []
        library.pipeline.run(replace(work, owned=True), {}, ignore_progress)
        assert not path.exists()
        assert path.parent.exists()


class TestMadeFiles:
    def test_a_name_with_a_scheme_is_made_first(self, library: Library) -> None:
        scene = library.video("scene.mp4").read_bytes()
        asked: list[str] = []

        def render(name: str, target: Path, on_progress: object) -> None:
            asked.append(name)
            target.write_bytes(scene)

        pipeline = library.make_pipeline(sources={"sample": render})
        assert pipeline.makes("sample:fox")
        assert not pipeline.makes("/sample:fox")
        work = advance(pipeline, start("sample:fox", "fox.mp4"))
        assert asked == ["fox"]
        assert library.index.count().videos == 1
        pipeline.run(work, {}, ignore_progress)
        assert library.leftovers() == []

    def test_half_a_rendering_is_not_taken_for_a_file(self, library: Library) -> None:
        scene = library.video("scene.mp4").read_bytes()
        tries = iter((scene[:500], scene))

        def render(name: str, target: Path, on_progress: object) -> None:
            data = next(tries)
            target.write_bytes(data)
            if data != scene:
                raise Cancelled

        pipeline = library.make_pipeline(sources={"sample": render})
        work = start("sample:fox", "fox.mp4")
        with pytest.raises(Cancelled):
            pipeline.run(work, {}, ignore_progress)
        assert advance(pipeline, work).step is Step.TIDY


class TestVerify:
    @pytest.mark.parametrize("step", [Step.INSPECT, Step.STORE, Step.EMBED, Step.INDEX])
    def test_untouched_work_goes_on_where_it_was(self, library: Library, step: Step) -> None:
        work = advance(library.pipeline, start(library.video("a.mp4")), to=step)
        assert library.pipeline.verify(work, ignore_progress) == work

    def test_the_same_bytes_with_a_new_date_go_on(self, library: Library) -> None:
        path = library.video("a.mp4")
        work = advance(library.pipeline, start(path), to=Step.INDEX)
        os.utime(path, (1, 1))
        verified = library.pipeline.verify(work, ignore_progress)
        assert verified.step is Step.INDEX
        assert verified.fingerprint != work.fingerprint

    def test_other_bytes_start_over_and_leave_nothing_of_the_old(self, library: Library) -> None:
        path = library.video("a.mp4")
        work = advance(library.pipeline, start(path), to=Step.INDEX)
        path.write_bytes(library.video("b.mp4", 1).read_bytes())
        assert library.pipeline.verify(work, ignore_progress) == start(path)
        assert library.store.blobs == {}
        assert library.leftovers() == []

    def test_another_encoder_encodes_what_is_stored(self, library: Library) -> None:
        work = advance(library.pipeline, start(library.video("a.mp4")), to=Step.INDEX)
        stored, info = dict(library.store.blobs), replace(FAKE_INFO, name="fake-v2")
        library.encoder, library.index = FakeEncoder(info), MemoryIndex(info)
        again = library.make_pipeline().verify(work, ignore_progress)
        assert again == replace(work, step=Step.EMBED, encoder="fake-v2")
        done = advance(library.pipeline, again)
        assert {entry.encoder for entry in library.index.scroll(video_id=work.video_id)} == {"fake-v2"}
        assert (done.media_key, library.store.blobs) == (work.media_key, stored)

    def test_a_lost_copy_is_stored_again_and_a_lost_embedding_made_again(self, library: Library) -> None:
        work = advance(library.pipeline, start(library.video("a.mp4")), to=Step.INDEX)
        (library.root / "work" / work.job_id / "embedding.npz").unlink()
        assert library.pipeline.verify(work, ignore_progress).step is Step.EMBED
        library.store.delete(work.media_key)
        assert library.pipeline.verify(work, ignore_progress).step is Step.STORE

    def test_a_file_that_is_gone_is_missed_only_by_the_steps_that_need_it(self, library: Library) -> None:
        path = library.video("a.mp4")
        work = advance(library.pipeline, start(path), to=Step.EMBED)
        embedded = advance(library.pipeline, work, to=Step.INDEX)
        path.unlink()
        assert advance(library.pipeline, library.pipeline.verify(embedded, ignore_progress)).step is Step.TIDY
        (library.root / "work" / work.job_id / "embedding.npz").unlink()
        with pytest.raises(MediaError, match="not there any more"):
            library.pipeline.run(library.pipeline.verify(work, ignore_progress), {}, ignore_progress)


class TestRollBack:
    def test_it_removes_media_and_clips_of_a_video_that_is_not_whole(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work = advance(library.pipeline, start(library.video("a.mp4")), to=Step.INDEX)
        upsert = library.index.upsert

        def fail_on_video(entries: list[Entry]) -> None:
            if entries[0].scope == "video":
                raise LibraryError("The disk is full.")
            upsert(entries)

        monkeypatch.setattr(library.index, "upsert", fail_on_video)
        with pytest.raises(LibraryError):
            library.pipeline.run(work, {}, ignore_progress)
        assert library.index.count().clips == 1
        library.pipeline.roll_back(work)
        assert library.index.count() == type(library.index.count())(0, 0)
        assert library.store.blobs == {}

    def test_it_leaves_a_video_that_is_in_the_library(self, library: Library) -> None:
        work = advance(library.pipeline, start(library.video("a.mp4")))
        library.pipeline.roll_back(work)
        assert library.index.count().videos == 1
        assert len(library.store.blobs) == 2

    def test_it_has_nothing_to_do_before_the_file_is_known(self, library: Library) -> None:
        library.index.close()
        library.pipeline.roll_back(advance(library.pipeline, start(library.video("a.mp4")), to=Step.INSPECT))


def test_find_knows_a_video_by_its_content(library: Library) -> None:
    entries = make_entries("Grey wolf")
    library.index.upsert(entries)
    work = replace(start("/x"), sha256=entries[0].content_sha256, video_id="another")
    assert library.pipeline.find(work).title == "Grey wolf"
    assert library.pipeline.find(replace(work, sha256="0" * 64)) is None
    assert library.pipeline.find(replace(work, sha256=None)) is None


class TestWork:
    def test_it_is_written_down_without_loss(self) -> None:
        work = replace(
            start("/films/\udcff\udcfe.mp4"),
            step=Step.EMBED,
            fingerprint=(1, 2),
            info=make_info(tags={"title": "Wölfe"}, subtitles="…", subtitle_languages=("en",)),
            seen=("dark",),
        )
        text = work.to_json()
        assert text.isascii()
        assert Work.from_json(text) == work
        assert Work.from_json(start("/a").to_json()) == start("/a")

    def test_work_written_down_before_subtitles_had_languages_is_read(self) -> None:
        row = json.loads(replace(start("/a"), info=make_info()).to_json())
        del row["info"]["subtitle_languages"]
        assert Work.from_json(json.dumps(row)).info == make_info()


class TestEmbeddingFile:
    def test_it_keeps_vectors_spans_and_words(self, tmp_path: Path) -> None:
        vector = np.linspace(0, 1, 8, dtype=np.float32)
        clips = (ClipEmbedding(0.0, 2.5, vector * 2, ("dark", "“loud”")), ClipEmbedding(2.5, 4.25, vector * 3))
        save_embedding(VideoEmbedding(vector, clips, ("calm",)), tmp_path / "embedding.npz")
        loaded = load_embedding(tmp_path / "embedding.npz")
        np.testing.assert_array_equal(loaded.vector, vector)
        assert loaded.vector.dtype == np.float32
        assert loaded.seen == ("calm",)
        for clip, saved in zip(loaded.clips, clips, strict=True):
            assert (clip.start_s, clip.end_s, clip.seen) == (saved.start_s, saved.end_s, saved.seen)
            np.testing.assert_array_equal(clip.vector, saved.vector)

    def test_it_may_have_no_clips(self, tmp_path: Path) -> None:
        save_embedding(VideoEmbedding(np.ones(4, np.float32), ()), tmp_path / "embedding.npz")
        assert load_embedding(tmp_path / "embedding.npz").clips == ()

    def test_it_is_whole_or_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="No space"):
            save_embedding(VideoEmbedding(np.ones(4, np.float32), ()), tmp_path / "embedding.npz")
        assert not (tmp_path / "embedding.npz").exists()
