"""Ingest as a person meets it, through AppTest."""

from __future__ import annotations

from dataclasses import replace

from core import samples
from core.errors import EncoderPaused
from core.models import Stage
from pages.components.services import close_services, shared_services
from tests.pages.support import open_page, press, readable, shown, texts, urls
from tests.support import until
from tests.videos import make_video, plain


def test_uploads_go_to_the_queue_and_the_uploader_is_empty_again(services, tmp_path):
    app = open_page("ingest")
    good = make_video(tmp_path / "good.mp4").read_bytes()
    files = [("good.mp4", good, "video/mp4"), ("fake.mp4", b"not a video", "video/mp4")]
    app.file_uploader(key="upload-0").set_value(files).run()
    assert app.file_uploader(key="upload-1").value == []
    services.jobs.wait([job.id for job in services.jobs.jobs()], timeout_s=120)
    app.run()
    assert {job.filename: job.stage for job in services.jobs.jobs()} == {
        "good.mp4": Stage.READY,
        "fake.mp4": Stage.FAILED,
    }
    assert any("1 video ready" in element.value for element in app.header)
    assert "fake.mp4" in texts(app)
    assert shown(app) == ["Good"]
    assert not urls(app), "a poster: nothing is fetched before it is asked for"
    press(app, "Play Good")
    assert urls(app)
    assert not app.exception


def test_an_upload_that_is_on_disk_already_is_moved_into_the_queue(no_workers, services, tmp_path):
    arrival = services.arrivals.begin("a session", "a file", None)
    arrival.write(b"its bytes")
    arrival.finish()
    app = open_page("ingest")
    gone = ("gone.mp4", arrival.mark[:-1] + b"x", "video/mp4")
    app.file_uploader(key="upload-0").set_value([("here.mp4", arrival.mark, "video/mp4"), gone]).run()
    (job,) = services.jobs.jobs()
    assert job.filename == "here.mp4"
    (kept,) = [path for path in services.settings.spool_dir.rglob("*") if path.is_file()]
    assert kept.read_bytes() == b"its bytes"
    assert any("The upload is gone" in element.value for element in app.error)
    assert not app.exception


def test_no_more_files_wait_than_may(no_workers, monkeypatch, services):
    monkeypatch.setenv("MAX_QUEUE", "2")
    shared_services.clear()
    services.close()
    app = open_page("ingest")
    files = [(f"{n}.mp4", b"its bytes", "video/mp4") for n in range(3)]
    app.file_uploader(key="upload-0").set_value(files).run()
    full = "2 files are waiting already, and no more are taken for now. Add yours when some are done."
    assert [element.value.replace("\\", "") for element in app.error] == [f"“2.mp4”: {full}"]
    assert len(shared_services().jobs.jobs()) == 2
    assert [element.value for element in app.info] == [full]
    assert app.file_uploader(key="upload-1").disabled
    assert app.button(key="add-samples").disabled
    assert not app.exception


def test_the_sample_library_stops_where_no_more_may_wait(no_workers, monkeypatch, services):
    monkeypatch.setenv("MAX_QUEUE", "2")
    shared_services.clear()
    services.close()
    app = open_page("ingest")
    app.button(key="add-samples").click().run()
    assert len(shared_services().jobs.jobs()) == 2
    assert any("2 files are waiting already" in element.value for element in app.error)
    assert not app.exception


def test_a_failed_file_can_be_tried_again_and_the_list_cleared(services, tmp_path):
    (tmp_path / "fake.mp4").write_text("not a video")
    job = services.jobs.submit(tmp_path / "fake.mp4")
    services.jobs.wait([job.id], timeout_s=120)
    app = open_page("ingest")
    make_video(tmp_path / "fake.mp4")
    app.button(key=f"retry-{job.id}").click().run()
    services.jobs.wait([job.id], timeout_s=120)
    assert services.jobs.job(job.id).stage is Stage.READY
    app.run()
    next(button for button in app.button if button.label == "Clear this list").click().run()
    assert not services.jobs.jobs()
    assert services.index.count().videos == 1


def test_files_that_can_not_be_added_are_put_away_one_by_one_or_together(services, tmp_path):
    kept = services.jobs.submit(make_video(tmp_path / "good.mp4"))
    jobs = []
    for number in range(3):
        (tmp_path / f"fake {number}.mp4").write_text(f"not a video {number}")
        jobs.append(services.jobs.submit(tmp_path / f"fake {number}.mp4"))
    services.jobs.wait([kept.id, *(job.id for job in jobs)], timeout_s=120)
    app = open_page("ingest")
    assert "3 files were not added" in readable(app)
    app.button(key=f"dismiss-{jobs[0].id}").click().run()
    assert not {"fake 0.mp4"} & set(texts(app))
    assert "2 files were not added" in readable(app)
    app.button(key="clear-stopped").click().run()
    assert not app.exception
    assert not [text for text in texts(app) if text.startswith("fake")]
    assert [job.id for job in services.jobs.jobs()] == [kept.id], "what arrived has a list of its own"


def test_why_a_file_was_refused_is_said_in_chinese_to_who_reads_that(services, tmp_path):
    (tmp_path / "fake.mp4").write_text("not a video")
    job = services.jobs.submit(tmp_path / "fake.mp4")
    services.jobs.wait([job.id], timeout_s=120)
    assert "不管文件名是什么，这是文本文件，不是视频。请添加视频文件。" in texts(open_page("ingest", lang="zh"))
    assert services.jobs.job(job.id).reason in texts(open_page("ingest", lang="en"))


def test_the_sample_button_puts_every_scene_on_its_way(no_workers, services):
    app = open_page("ingest")
    app.button(key="add-samples").click().run()
    assert len(services.jobs.jobs()) == len(samples.SCENES)
    cancel = [button for button in app.button if button.label == "Cancel"]
    assert len(cancel) == len(samples.SCENES)
    cancel[0].click().run()
    assert sum(job.stage is Stage.CANCELLED for job in services.jobs.jobs()) == 1


def test_a_paused_encoder_says_why_and_is_tried_at_a_press(services, tmp_path, monkeypatch):
    works, encode = [], services.encoder.encode_video

    def refuse(*args):
        if not works:
            raise EncoderPaused("The key is not known. Set <another> one.")
        return encode(*args)

    monkeypatch.setattr(services.encoder, "encode_video", refuse)
    jobs = [services.jobs.submit(make_video(tmp_path / f"{n}.mp4", pattern=plain(80 * n, 9, 9))) for n in range(2)]
    until(lambda: services.jobs.pause() is not None and services.jobs.pause().waiting == 2)
    app = open_page("ingest")
    shown = texts(app)
    assert shown.count("The key is not known. Set <another> one.") == 3, "once above all, once a file"
    assert any("2 files wait for it" in element.value for element in app.markdown)
    works.append(True)
    app.button(key="try-now").click().run()
    services.jobs.wait([job.id for job in jobs], timeout_s=120)
    app.run()
    assert not [button for button in app.button if button.key == "try-now"]
    assert {job.stage for job in services.jobs.jobs()} == {Stage.READY}
    assert not app.exception


def test_a_sample_is_said_to_be_drawn_while_it_is(services):
    job = services.jobs.submit("sample:kite-day")
    until(lambda: services.jobs.job(job.id).drawing)
    app = open_page("ingest")
    services.jobs.cancel(job.id)
    words = [bar.proto.text for bar in app.get("progress")]
    assert any("Drawing" in text for text in words), words
    assert not any("Checking" in text for text in words), words


def test_a_watched_folder_is_one_line(services, tmp_path, monkeypatch):
    assert "Watching" not in readable(open_page("ingest"))
    close_services()
    (tmp_path / "films").mkdir()
    monkeypatch.setenv("WATCH_DIR", str(tmp_path / "films"))
    watch = shared_services().folder_watch
    watch.stop(20)
    watch._looked = replace(watch.status(), waiting=3, failed=1, gone=2, looked=True)
    said = readable(open_page("ingest"))
    assert f"Watching {tmp_path / 'films'} · 3 waiting · 1 could not be added · 2 are not there any more" in said
