"""Labels follow the taxonomy and the encoder, in the background, through kills, with the old ones serving meanwhile.

Run as a program (`python -m tests.library.test_relabelling FOLDER`), this file is the pass that is killed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.discover import taxonomy
from core.discover.search import Discover
from core.discover.taxonomy import Taxonomy, Theme
from core.errors import LibraryError, Unavailable
from core.index.edge import EdgeIndex
from core.index.server import ServerIndex
from core.library import relabelling
from core.library.relabelling import Relabel
from core.models import Query
from tests.fakes import FAKE_INFO, FakeEncoder, MemoryIndex, MemoryStore, make_entries
from tests.servers.qdrant import MemoryQdrant
from tests.support import until

INFO = replace(FAKE_INFO, dimension=2048)
COSY = Theme("cosy", "Cosy", "label", ("cosy",), own=True)


def open_discover(index=None, count=10) -> Discover:
    index = index or MemoryIndex(INFO)
    for number in range(count):
        index.upsert(make_entries(f"{('animals', 'cosy')[number % 2]} {number}", clips=2, info=INFO))
    return Discover(encoder=FakeEncoder(INFO), index=index, store=MemoryStore(), taxonomy=taxonomy.load())


def with_own(discover: Discover) -> None:
    shipped = taxonomy.load()
    discover.taxonomy = Taxonomy((*shipped.categories, COSY), shipped.moods)


def few_themes(discover: Discover) -> Discover:
    """Return it with two categories and two moods: Edge makes an index a theme, each on the disk."""
    shipped = taxonomy.load()
    animals, food = shipped.category("animals"), shipped.category("food")
    discover.taxonomy = Taxonomy((animals, food), shipped.moods[:2])
    return discover


def die(folder: Path) -> None:
    """Label a batch, then another one, and stand still where that is written and nobody has heard of it."""
    relabelling.BATCH, relabelling.TOGETHER = 3, 2
    discover = few_themes(open_discover(EdgeIndex(folder, INFO), count=0))
    relabel = Relabel(lambda: discover)
    relabel.one_batch()
    label = discover.index.label

    def label_and_hang(wholes):
        label(wholes)
        print("HELD", flush=True)
        threading.Event().wait()

    discover.index.label = label_and_hang
    relabel.one_batch()


def all_batches(relabel: Relabel) -> int:
    count = 0
    while relabel.one_batch():
        count += 1
        assert count < 100
    return count


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(relabelling, "BATCH", 3)
    monkeypatch.setattr(relabelling, "TOGETHER", 2)


@pytest.fixture
def running():
    begun = []

    def begin(discover, **options):
        relabel = Relabel(lambda: discover, **{"look_every_s": 0.01} | options)
        relabel.start()
        begun.append(relabel)
        return relabel

    yield begin
    for relabel in begun:
        relabel.stop(timeout_s=120)


def test_a_library_without_labels_gets_them_and_answers_the_same_before_and_after():
    discover, press = open_discover(), Query(categories=("animals",))
    relabel = Relabel(lambda: discover)
    assert (relabel.progress().done, relabel.progress().total) == (0, 10)
    before = discover.search(press)
    assert not discover.labelled().answer
    assert all_batches(relabel) == 4
    assert relabel.progress() is None
    assert discover.labelled().answer
    after = discover.search(press)
    assert {(hit.title, hit.confidence) for hit in after.hits} == {(hit.title, hit.confidence) for hit in before.hits}
    assert (after.total, after.exact) == (5, True)


@pytest.fixture(params=["embedded", "on a server"])
def index(request, tmp_path):
    if request.param == "embedded":
        index = EdgeIndex(tmp_path / "library", INFO)
    else:
        index = ServerIndex("http://127.0.0.1:9", None, "library", INFO, client=MemoryQdrant())
    yield index
    index.close()


def meanwhile(index, change):
    """Let something happen after labels were worked out and before they are written."""
    label = index.label

    def late(wholes):
        index.label = label
        change()
        label(wholes)

    index.label = late


def test_what_is_said_while_a_batch_is_worked_out_holds(index):
    said = {}
    discover = few_themes(open_discover(index, count=2))
    discover._said = lambda content, kind: said.get((content, kind), {})
    animals = next(entry for entry in index.scroll(scope="video") if "animals" in entry.title)

    def correct():
        said[animals.content_sha256, "category"] = {"animals": False}
        discover.label_again(animals.video_id)

    meanwhile(index, correct)
    all_batches(Relabel(lambda: discover))
    assert next(index.scroll(video_id=animals.video_id, scope="video")).categories == ()
    assert discover.search(Query(categories=("animals",))).hits == ()


def test_what_is_renamed_while_a_batch_is_worked_out_answers_by_its_new_name(index):
    discover = few_themes(open_discover(index, count=2))
    old = [entry for entry in index.scroll() if "animals" in entry.title]
    new = make_entries("food", info=INFO)[0].vector

    def rename():
        index.upsert([replace(entry, title="food", vector=new, labels_version=None) for entry in old])

    meanwhile(index, rename)
    all_batches(Relabel(lambda: discover))
    (whole,) = index.retrieve([old[0].video_id])
    assert (whole.title, whole.categories, whole.labels_version) == ("food", ("food",), discover.labels_version())


def test_nothing_is_decoded_or_encoded_for_it():
    discover = open_discover()
    all_batches(Relabel(lambda: discover))
    assert discover.encoder.encoded == []


def test_a_pass_that_was_killed_goes_on_where_it_was(tmp_path):
    index = EdgeIndex(tmp_path / "library", INFO)
    discover = few_themes(open_discover(index))
    assert len(Relabel(lambda: discover).one_batch()) == 3
    index.close()  # what was labelled is on the disk: a kill leaves no less (tests/index)
    index = EdgeIndex(tmp_path / "library", INFO)
    discover = few_themes(open_discover(index, count=0))
    relabel = Relabel(lambda: discover)
    assert (relabel.progress().done, relabel.progress().total) == (3, 10)
    assert all_batches(relabel) == 3, "seven are left, three at a time"
    assert relabel.progress() is None
    index.close()


def test_a_pass_outlives_kill_9(tmp_path):
    index = EdgeIndex(tmp_path / "library", INFO)
    few_themes(open_discover(index))
    index.close()
    command = [sys.executable, "-m", "tests.library.test_relabelling", str(tmp_path / "library")]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"HELD\n"
        process.kill()
    index = EdgeIndex(tmp_path / "library", INFO)
    discover = few_themes(open_discover(index, count=0))
    relabel = Relabel(lambda: discover)
    assert (relabel.progress().done, relabel.progress().total) == (6, 10)
    assert all_batches(relabel) == 2, "four are left, three at a time"
    assert discover.search(Query(categories=("animals",))).total == 5
    index.close()


class Elsewhere(MemoryIndex):
    """What another machine writes into it changes nothing that can be counted."""

    version = "as it was"


def test_one_machine_labels_and_the_others_see_it(running):
    index, at_it = Elsewhere(INFO), threading.Lock()

    @contextmanager
    def alone():
        is_alone = at_it.acquire(blocking=False)
        try:
            yield is_alone
        finally:
            if is_alone:
                at_it.release()

    here = open_discover(index)
    label, labelling = index.label, set()
    index.label = lambda wholes: (labelling.add(threading.get_ident()), label(wholes))
    at_it.acquire()  # by another machine
    watching = running(here, alone=alone)
    until(lambda: watching.progress() is not None)
    there = Relabel(lambda: open_discover(index, count=0))
    there.one_batch()
    until(lambda: watching.progress().done == 3)
    all_batches(there)
    until(lambda: watching.progress() is None)
    assert labelling == {threading.get_ident()}
    at_it.release()
    assert here.counts()["animals"] == 5


def test_old_labels_serve_until_the_pass_is_through():
    discover = open_discover()
    relabel = Relabel(lambda: discover)
    all_batches(relabel)
    animals = {hit.title for hit in discover.search(Query(categories=("animals",))).hits}
    with_own(discover)
    assert relabel.progress().done == 0
    assert discover.labelled().answer
    assert {hit.title for hit in discover.search(Query(categories=("animals",))).hits} == animals
    assert not discover.search(Query(categories=("animals",))).exact
    assert "cosy" not in discover.counts(), "of which nothing is known yet"
    relabel.one_batch()
    assert {hit.title for hit in discover.search(Query(categories=("animals",))).hits} == animals
    all_batches(relabel)
    assert discover.counts()["cosy"] == 5
    cosy = discover.search(Query(categories=("cosy",)))
    assert {hit.title for hit in cosy.hits} == {f"cosy {number}" for number in range(1, 10, 2)}
    assert (cosy.total, cosy.exact) == (5, True)


def test_in_the_background_an_own_category_has_its_videos_soon_and_new_videos_theirs(running):
    discover = open_discover()
    relabel = running(discover)
    until(lambda: relabel.progress() is None)
    with_own(discover)
    assert relabel.soon(20)
    assert discover.counts()["cosy"] == 5
    discover.index.upsert(make_entries("cosy again", clips=2, info=INFO))
    until(lambda: discover.counts().get("cosy") == 6)


def test_it_rests_when_nothing_has_changed(running, monkeypatch):
    discover = open_discover()
    relabel = running(discover)
    until(lambda: relabel._through is not None)
    asked = []
    scroll = discover.index.scroll
    monkeypatch.setattr(discover.index, "scroll", lambda **more: (asked.append(more), scroll(**more))[1])
    seen = [0]

    def looked(*_):
        seen[0] += 1
        return discover

    relabel._discover = looked
    until(lambda: seen[0] > 3)
    assert not asked


def test_it_waits_for_texts_that_are_still_to_be_read(running):
    discover = open_discover()
    encode, reading = discover.encoder.encode_text, [True]

    def wait(texts):
        if reading[0]:
            raise Unavailable("The categories and moods are being read.")
        return encode(texts)

    discover.encoder.encode_text = wait
    relabel = running(discover)
    until(lambda: relabel.progress() is not None and relabel.progress().problem is not None)
    assert "being read" in relabel.progress().problem
    reading[0] = False
    assert relabel.soon(20)


@pytest.mark.parametrize("error", [LibraryError("Qdrant does not answer."), RuntimeError("nobody thought of it")])
def test_an_index_that_is_away_is_asked_again(running, monkeypatch, error):
    discover = open_discover()
    label, times = discover.index.label, [0]

    def fail_once(wholes):
        times[0] += 1
        if times[0] == 1:
            raise error
        label(wholes)

    monkeypatch.setattr(relabelling, "PAUSES_S", (0.01,))
    monkeypatch.setattr(discover.index, "label", fail_once)
    relabel = running(discover)
    until(lambda: relabel.progress() is None)


def test_what_was_deleted_meanwhile_is_no_trouble(monkeypatch):
    discover = open_discover()
    relabel = Relabel(lambda: discover)
    retrieve, gone = discover.index.retrieve, []

    def delete_first(ids, **more):
        if not gone:
            gone.append(ids[0])
            discover.index.delete(ids[0])
        return retrieve(ids, **more)

    monkeypatch.setattr(discover.index, "retrieve", delete_first)
    assert gone == []
    assert len(relabel.one_batch()) == 2
    all_batches(relabel)
    assert discover.labelled().is_all
    assert discover.index.count().videos == 9


def test_a_label_that_does_not_stick_does_not_keep_it_busy_for_ever(running, monkeypatch):
    discover = open_discover()
    tries = []
    monkeypatch.setattr(discover.index, "label", lambda wholes: tries.append(len(wholes)))
    relabel = running(discover)
    until(lambda: relabel._through is not None)
    assert len(tries) <= 3


if __name__ == "__main__":
    die(Path(sys.argv[1]))
