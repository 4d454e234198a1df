"""Take an export in: what is there already stays as it is, the rest comes as it was, and nothing is encoded or paid.

A video comes as a whole or not at all: its files are checked and stored, its clips written, and its own entry last.
What is being written is noted before; after a kill `tend` removes what is there of it by halves, at the next start, and
the same import goes on where it was. Whatever is damaged is left out with a sentence that names it, and all else comes.

Ads come in the same way, each with its files or not at all.

The vectors of the encoder that answers here come into its space; into an empty library those of the encoder that
answered there, which then answers here too. Spaces of other encoders come along. Where the two libraries have no
encoder in common nothing is taken: its videos would be in a space that does not answer, and not be found.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.ads.book import Kept, kept_of
from core.errors import AppError, LibraryError, QueryError, Sentence, StoreError, Unavailable
from core.files import write_text
from core.index.base import Index
from core.ingest.comparing import compared
from core.ingest.lanes import Lane
from core.ingest.stored import as_known
from core.library import archive, vectors
from core.library.archive import MEDIA, Manifest, SpaceThere
from core.library.exporting import Show, files_of
from core.library.keepsakes import ADS, NAMES, Keepsakes, rows_of, take_all
from core.library.removal import Trash
from core.library.spaces import Serving
from core.models import EncoderInfo, Entry
from core.stores.base import KEY, CountedStore

logger = logging.getLogger(__name__)

TOGETHER, TOGETHER_ENTRIES = 16, 2_000
"""Videos, and entries, that are written in one go, and noted before."""


@dataclass(slots=True)
class Imported:
    """What taking an export in came to."""

    videos: int = 0
    """That are new here."""
    present: int = 0
    """That were here already and stayed as they are."""
    restored: int = 0
    """That were in the trash here, and are back."""
    entries: int = 0
    files: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    """How much was new, by the name of the file: likes.jsonl and so on."""
    problems: list[Sentence] = field(default_factory=list)


class _LeftOut(Exception):
    """A video, or a file of it, cannot be taken in; it says why."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Importer:
    """Take exports into a library, one at a time. Safe to use while the library is used.

    `note` is where it is written down what is being written; `on_themes` is called when own categories came,
    `on_corrections` with the contents of which something was said that is new here. Raises StoreError for an export
    that cannot be read, LibraryError for one that does not fit, Unavailable.
    """

    def __init__(
        self,
        serving: Serving,
        store: CountedStore,
        trash: Trash,
        keepsakes: Keepsakes,
        note: Path,
        on_themes: Callable[[], None] = lambda: None,
        on_corrections: Callable[[Collection[str]], None] = lambda contents: None,
    ) -> None:
        self._serving = serving
        self._store = store
        self._trash = trash
        self._keepsakes = keepsakes
        self._note = note
        self.on_themes = on_themes
        self.on_corrections = on_corrections

    def run(self, folder: Path, show: Show = lambda doing, fraction: None) -> Imported:
        """Take all in that is not here yet."""
        self.tend()
        with archive.as_sentences(folder):
            manifest = archive.read_whole(folder)
            sums = archive.checksums(folder, manifest)
            try:
                return _Import(self, folder, manifest, sums, show).run()
            except BaseException:
                tend_or_wait(self)
                raise

    def tend(self) -> None:
        """Remove what an import that was killed left by halves. Raises what the spaces and the store raise."""
        try:
            said = json.loads(self._note.read_text("utf-8"))
            space, videos = str(said["space"]), [(str(id_), str(sha), list(keys)) for id_, sha, keys in said["videos"]]
            ads = [(str(id_), list(keys)) for id_, keys in said.get("ads", ())]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                "{path} cannot be read ({why}). Remove it, and import the export again.",
                path=self._note,
                why=str(error),
            ) from error
        with self._serving.every() as indexes:
            for video_id, content, keys in videos:
                whole = {name: _whole(index, content) for name, index in indexes.items()}
                if space in indexes and whole[space] is None:
                    indexes[space].delete(video_id)
                if not any(whole.values()) and not self._trash.holds(content):
                    for key in keys:
                        self._store.delete(key)
        here = {ad.id for ad in self._keepsakes.ads.all()} if ads else set()
        for key in (key for ad_id, keys in ads if ad_id not in here for key in keys):
            self._store.delete(key)
        self._note.unlink(missing_ok=True)

    # For the import that runs

    @property
    def parts(self) -> tuple[Serving, CountedStore, Trash, Keepsakes]:
        return self._serving, self._store, self._trash, self._keepsakes

    def begin(self, lane: Lane, videos: Sequence[Sequence[Entry]]) -> None:
        """Note what is about to be written; when it returns that survives a kill."""
        rows = [(one[0].video_id, one[0].content_sha256, files_of(one[0])) for one in videos]
        self._write_down({"space": lane.name, "videos": rows})

    def begin_ad(self, ad: Kept) -> None:
        """Note which ad is about to be taken in; when it returns that survives a kill."""
        self._write_down({"space": "", "videos": [], "ads": [(ad.id, ad.keys)]})

    def _write_down(self, said: Mapping[str, object]) -> None:
        try:
            write_text(self._note, json.dumps(said))
        except OSError as error:
            raise StoreError(
                "{path} cannot be written ({why}). Free some space there, or let this user write to it.",
                path=self._note,
                why=error.strerror,
            ) from error

    def end(self) -> None:
        self._note.unlink(missing_ok=True)


class _Import:
    """One export on its way in."""

    def __init__(
        self, importer: Importer, folder: Path, manifest: Manifest, sums: Mapping[str, str], show: Show
    ) -> None:
        self._importer = importer
        self._serving, self._store, self._trash, self._keepsakes = importer.parts
        self._folder = folder
        self._manifest = manifest
        self._sums = sums
        self._show = show
        self._sizes = self._store.sizes()
        self._done_bytes = self._done_videos = 0
        self._ids: dict[str, str] = {}
        """Of videos that are here under another id than there."""
        self.came = Imported()

    def run(self) -> Imported:
        main = self._main()
        # What is known of videos is there before they are: they come with labels that it took part in.
        said_before = {*self._keepsakes.corrections.all()}
        self._take(name for name in NAMES if name != NAMES[-1])
        if new := {*self._keepsakes.corrections.all()} - said_before:
            self._importer.on_corrections({one.content_sha256 for one in new})
        if self.came.kept.get(NAMES[0]):
            self._importer.on_themes()
        lane = self._serving.bring(main.encoder, main.dimension)
        for batch in self._batches(main, lane):
            self._bring(lane, batch)
        for space in self._manifest.spaces:
            if space is not main:
                self._bring_along(space, lane.index)
        settle(self._serving)
        self._take_ads()
        self._take([NAMES[-1]])
        self._show("videos", 1.0)
        return self.came

    def _main(self) -> SpaceThere:
        """Return the space whose videos come. Raises LibraryError where none fits."""
        there = {space.encoder: space for space in self._manifest.spaces}
        answering = self._serving.serving
        is_empty = not answering.index.count().videos
        mine = there.get(answering.name)
        main = mine if mine and (mine.complete or not is_empty) else None
        if main is None and is_empty:
            main = there.get(self._manifest.answers) or next(iter(there.values()), None)
        if main is None and not there:
            raise LibraryError(
                "The export in {folder} holds no videos. Name the folder of another.", folder=self._folder
            )
        if main is None:
            raise LibraryError(
                "This library is answered by {here}, and the export holds what {there} made: the two cannot be "
                "compared. Import it into an empty DATA_DIR; or re-embed one of the two libraries with the other's "
                "encoder first (python -m core reembed), and export it again.",
                here=answering.name,
                there=", ".join(there),
            )
        numbers = answering.encoder.info.dimension
        if main.encoder == answering.name and main.dimension != numbers:
            raise LibraryError(
                "{encoder} makes vectors of {here} numbers here and made {there} there. Set its dimension to what it "
                "was there.",
                encoder=main.encoder,
                here=numbers,
                there=main.dimension,
            )
        if missing := self._manifest.videos - main.videos:
            self.came.problems.append(
                Sentence(
                    "{n:,} videos of the export were never read by {encoder}, which answers here, and are left out.",
                    n=missing,
                    encoder=main.encoder,
                )
            )
        return main

    def _bring(self, lane: Lane, batch: Sequence[list[Entry]]) -> None:
        """Store and write those videos of a batch that are not here."""
        new: list[list[Entry]] = []
        for one in batch:
            whole = one[0]
            here = _whole(lane.index, whole.content_sha256)
            if here is None:
                try:
                    if self._trash.revive(whole.content_sha256, may_encode=False):
                        here = _whole(lane.index, whole.content_sha256)
                        self.came.restored += here is not None
                except Unavailable as error:
                    self.came.problems.append(Sentence("{error} Import again later.", error=error))
                    continue
            else:
                self.came.present += 1
            if here is None:
                if next(lane.index.scroll(video_id=whole.video_id, scope="video", with_vectors=False), None) is None:
                    new.append(one)
                else:
                    self.came.problems.append(
                        Sentence(
                            '"{title}" has the id of another video that is here, and is left out.', title=whole.title
                        )
                    )
            elif here.video_id != whole.video_id:
                self._ids[whole.video_id] = here.video_id
        self._write(lane, new)
        self._done_videos += len(batch)
        self._tell()

    def _write(self, lane: Lane, videos: Sequence[list[Entry]], *, with_files: bool = True) -> None:
        if not videos:
            return
        self._importer.begin(lane, videos)
        ready = []
        for one in videos:
            try:
                ready.append(self._store_files(one) if with_files else one)
            except _LeftOut as why:
                self.came.problems.append(
                    Sentence('{why} "{title}" is left out.', why=why.sentence, title=one[0].title)
                )
        if ready:
            with self._serving.writing(lane):
                if clips := [entry for one in ready for entry in one[1:]]:
                    lane.index.upsert(clips)
                lane.index.upsert([one[0] for one in ready])
        self._importer.end()
        self.came.entries += sum(map(len, ready))
        if with_files:
            self.came.videos += len(ready)

    def _store_files(self, one: list[Entry]) -> list[Entry]:
        """Check all files of a video, then store those that are not here; return its entries, without the poster and
        the subtitles that are damaged. Raises _LeftOut where what plays is."""
        whole, missing, without = one[0], [], set()
        for key in files_of(whole):
            name = f"{MEDIA}/{key}"
            try:
                path = self._checked_file(key, name)
            except _LeftOut as why:
                if key == whole.media_key:
                    raise
                without.add(key)
                self.came.problems.append(
                    Sentence('{why} "{title}" comes without it.', why=why.sentence, title=whole.title)
                )
            else:
                if path is not None:
                    missing.append((key, path))
        for key, path in missing:
            self._store.put(path, key, lambda fraction: self._tell())
            self.came.files += 1
        if not without:
            return one
        return [
            replace(
                entry,
                poster_key=None if entry.poster_key in without else entry.poster_key,
                caption_keys=tuple(key for key in entry.caption_keys if key not in without),
            )
            for entry in one
        ]

    def _checked_file(self, key: str, name: str) -> Path | None:
        """Return where a file is that is whole; None for one that is in the store. Raises _LeftOut."""
        if (said := self._sums.get(name)) is None:
            raise _LeftOut(Sentence("{name} is not in the export.", name=name))
        path = archive.inside(self._folder, name)
        here = self._sizes.get(key)
        try:
            if here is not None and here != path.stat().st_size:
                raise _LeftOut(Sentence("The store has another file {key}, which stays.", key=key))
            if here is not None:  # an import that was cut off has stored it, whole
                self._note_bytes(here)
                return None
            if archive.sha256(path, self._note_bytes) == said:
                return path
        except OSError as error:
            raise _LeftOut(
                Sentence("{name} cannot be read ({why}). {mend}", name=name, why=error.strerror, mend=self._mend(name))
            ) from error
        raise _LeftOut(Sentence("{name} is damaged. {mend}", name=name, mend=self._mend(name)))

    def _bring_along(self, space: SpaceThere, answering: Index) -> None:
        """Bring what another encoder made of the videos that are here now."""
        lane = self._serving.bring(space.encoder, space.dimension)
        for batch in self._batches(space, lane):
            new = []
            for one in batch:
                known = _whole(answering, one[0].content_sha256)
                if known is not None and _whole(lane.index, one[0].content_sha256) is None:
                    new.append(as_known(one, known))
            self._write(lane, new, with_files=False)

    def _batches(self, space: SpaceThere, lane: Lane) -> Iterator[list[list[Entry]]]:
        """Yield the videos of a space, some at a time, those that can be used."""
        info = EncoderInfo(space.encoder, space.dimension, (), ())
        for part in space.parts:
            path = archive.inside(self._folder, part.path)
            try:
                if archive.sha256(path) != self._sums.get(part.path):
                    raise vectors.Unreadable("its checksum is another")
                batch: list[list[Entry]] = []
                for one in vectors.videos(path, info):
                    batch.append(_checked(one))
                    if len(batch) >= TOGETHER or sum(map(len, batch)) >= TOGETHER_ENTRIES:
                        yield batch
                        batch = []
                if batch:
                    yield batch
            except (OSError, vectors.Unreadable) as error:
                logger.warning("%s is damaged: %s", part.path, error)
                self.came.problems.append(
                    Sentence(
                        "{name} is damaged: its {n:,} videos are left out. {mend}",
                        name=part.path,
                        n=part.videos,
                        mend=self._mend(part.path),
                    )
                )

    def _take(self, names: Sequence[str] | Iterator[str]) -> None:
        new, broken = take_all(self._keepsakes, names, self._whole_file, self._ids)
        self.came.kept |= new
        self.came.problems += [
            Sentence("{name} cannot be taken in: {why}", name=f"{self._manifest.run}/{name}", why=why)
            for name, why in broken.items()
        ]

    def _whole_file(self, name: str) -> Path | None:
        """Return where a file of what people left behind is, if there is one and it is whole."""
        full = f"{self._manifest.run}/{name}"
        if (said := self._sums.get(full)) is None:
            return None
        path = archive.inside(self._folder, full)
        try:
            whole = archive.sha256(path) == said
        except OSError:
            whole = False
        if not whole:
            self.came.problems.append(
                Sentence("{name} is damaged: what it held is left out. {mend}", name=full, mend=self._mend(full))
            )
        return path if whole else None

    def _take_ads(self) -> None:
        """Take in the ads that are not here."""
        path = self._whole_file(ADS)
        if path is None:
            return
        try:
            ads = [*map(kept_of, rows_of(path))]
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s cannot be taken in", path, exc_info=error)
            why, name = Sentence("it was not written by this app."), f"{self._manifest.run}/{ADS}"
            self.came.problems.append(Sentence("{name} cannot be taken in: {why}", name=name, why=why))
            return
        here = {ad.id for ad in self._keepsakes.ads.all()}
        new = 0
        for ad in ads:
            if ad.id in here:
                continue
            self._importer.begin_ad(ad)
            try:
                new += self._take_ad(ad)
                self._importer.end()
            except (_LeftOut, QueryError) as error:
                self._importer.tend()
                self.came.problems.append(Sentence('{why} "{title}" is left out.', why=error.sentence, title=ad.title))
        self.came.kept[ADS] = new

    def _take_ad(self, ad: Kept) -> bool:
        """Check all files of an ad, store those that are not here, and keep it. Raises _LeftOut, QueryError."""
        files = [(key, self._checked_file(key, f"{MEDIA}/{key}")) for key in ad.keys]
        for key, path in files:
            if path is not None:
                self._store.put(path, key, lambda fraction: self._tell())
        taken = self._keepsakes.ads.take(ad)
        self.came.files += sum(path is not None for _, path in files)
        return taken

    def _mend(self, name: str) -> Sentence:
        if name.startswith(MEDIA):
            return Sentence(
                "Remove it, run python -m core export {folder} again where it was made, and import it again.",
                folder=self._folder,
            )
        return Sentence(
            "To have it, run python -m core export {folder} again where it was made, and import it again.",
            folder=self._folder,
        )

    def _note_bytes(self, size: int) -> None:
        self._done_bytes += size
        self._tell()

    def _tell(self) -> None:
        of_bytes = self._done_bytes / self._manifest.size_bytes if self._manifest.size_bytes else 0.0
        of_videos = self._done_videos / max(self._manifest.videos, 1)
        self._show("videos", min(1.0, max(of_bytes, of_videos)))


def settle(serving: Serving) -> None:
    """Mark which spaces hold all videos now, and let one that does answer, if the one that answers does not."""
    with serving.every() as indexes:
        if not any(index.count().videos for index in indexes.values()):
            return
        full = {name for name, index in indexes.items() if all(_has_all(index, other) for other in indexes.values())}
        answering = serving.serving.name
        for space in serving.spaces.all():
            if space.encoder != answering and space.complete != (space.encoder in full):
                serving.spaces.mark(space.encoder, complete=space.encoder in full)
        behind = answering not in full and bool(full)
        if behind:
            serving.spaces.mark(answering, complete=False)
    if behind or (serving.is_behind and serving.configured.info.name in full):
        serving.configure(serving.configured)


def _has_all(index: Index, other: Index) -> bool:
    """Tell whether every video of another space is in one too."""
    return index is other or all(is_there for _, is_there in compared(other, index))


def _whole(index: Index, content_sha256: str) -> Entry | None:
    """Return the video with this content that is in a space as a whole."""
    return next(index.scroll(content_sha256=content_sha256, scope="video", with_vectors=False), None)


def _checked(one: list[Entry]) -> list[Entry]:
    """Return the entries of a video. Raises Unreadable where they name what no entry of this app does: ids and keys
    become names of files."""
    for entry in one:
        try:
            well = str(uuid.UUID(entry.video_id)) == entry.video_id and len(bytes.fromhex(entry.content_sha256)) == 32
            well = well and all(KEY.fullmatch(key) for key in files_of(entry))
            well = well and all(isinstance(text, str) for text in (entry.title, entry.filename, entry.ingested_at))
        except (ValueError, AttributeError, TypeError):
            well = False
        if not well:
            raise vectors.Unreadable(f"{entry.video_id!r} is not what this app writes")
    return one


def tend_or_wait(importer: Importer) -> None:
    """Tend, or leave it for the next start: a service that is away keeps no library from opening."""
    try:
        importer.tend()
    except AppError as error:
        logger.warning("What an import left by halves stays until the next start: %s", error)
