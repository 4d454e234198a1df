"""The composition root: settings in, wired objects out. The only module that knows every backend."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from core import samples
from core.access.access import Access
from core.ads.ads import Ads, wired_ads
from core.ads.rhythm import Rhythms
from core.discover import taxonomy
from core.discover.composition import fixed_texts
from core.discover.search import Discover
from core.discover.taxonomy import Kind, Taxonomy, Theme
from core.encoders import clip_models, registry
from core.encoders.base import Encoder
from core.encoders.clip_download import Getter
from core.encoders.clip_models import ClipModel
from core.encoders.warming import Warming
from core.errors import QueryError, Sentence, SettingsError, StoreError
from core.index.base import Index, Space, Spaces, is_outgrown
from core.ingest import sandbox, stored
from core.ingest.arrivals import Arrivals
from core.ingest.budget import Budget
from core.ingest.folder_watch import FolderWatch
from core.ingest.jobs import JobQueue
from core.ingest.lanes import Lane
from core.ingest.pipeline import Pipeline
from core.ingest.reembed import Reembed
from core.ingest.work import FETCHED
from core.ingest.working import Queue
from core.library.carrying import Carrying
from core.library.damage import Damage, lost_from
from core.library.editing import Editor
from core.library.exporting import Exporter
from core.library.importing import Importer, tend_or_wait
from core.library.keepsakes import Keepsakes
from core.library.library import Library
from core.library.listing import Listing
from core.library.moments import Moments
from core.library.own_themes import OwnThemes
from core.library.relabelling import Relabel
from core.library.removal import Trash
from core.library.spaces import Serving
from core.library.stills import Stills
from core.library.watching import CHANGES, started, tell
from core.models import EncoderInfo, Entry, Progress
from core.rounds import Rounds
from core.settings import STATIC_FILE_MB, Settings
from core.state.ahead import ReadAhead, Reading
from core.state.base import Document, JobRecord
from core.state.calibration import Calibrations
from core.state.channels import ChannelBook
from core.state.corrections import Corrections
from core.state.opening import State, database, open_state
from core.state.spending import SpendingBook
from core.state.sqlite import SqliteLedger
from core.state.taste import TasteBook
from core.state.trash import TrashBook
from core.state.watched import WatchBook
from core.stores.base import CountedStore, Store
from core.trends.trends import Trends

if TYPE_CHECKING:
    from core.state.engine import Engine
    from core.state.postgres_jobs import PostgresJobs

logger = logging.getLogger(__name__)
THEMES, CALIBRATION, ADS = "taxonomy.toml", "calibration.json", "ads.json"
"""Names of the documents."""
SOON_S = 3.0
"""How long adding a category waits for its videos: in a small library they are there at once."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page, a route or a command needs, wired and open."""

    settings: Settings
    store: CountedStore
    serving: Serving
    jobs: Queue
    reembed: Reembed
    taste: TasteBook
    channels: ChannelBook
    library: Library
    state: State
    themes: Document
    """A person's own categories and moods."""
    ads: Ads
    trends: Trends
    warmings: list[Warming | ReadAhead] = field(default_factory=list)
    getter: Getter | None = None
    """Gets a model for the encoder that sees, at a press."""
    budget: Budget | None = None
    """What a day's minutes are."""
    relabel: Relabel | None = None
    """Works out in the background what videos answer, where that may have changed."""
    watches: list[Rounds] = field(default_factory=list)
    folder_watch: FolderWatch | None = None
    """Takes in what appears in the folder that is set."""
    damage: Damage | None = None
    """What is damaged or was mended."""
    arrivals: Arrivals = field(init=False)
    """Uploads on their way to disk."""

    def __post_init__(self) -> None:
        arrivals = Arrivals(self.settings.arriving_dir, max_bytes=self.settings.max_upload_bytes)
        object.__setattr__(self, "arrivals", arrivals)

    @property
    def is_outgrown(self) -> bool:
        """Tell whether a Qdrant server would search this library quicker. Raises as counting does."""
        return is_outgrown(self.index, self.encoder.info.dimension)

    @property
    def encoder(self) -> Encoder:
        """The encoder of the space that answers now; with `index` and `discover` to be asked for at each use."""
        return self.serving.now.lane.encoder

    @property
    def index(self) -> Index:
        return self.serving.now.lane.index

    @property
    def discover(self) -> Discover:
        return self.serving.now.discover

    @property
    def may_see(self) -> bool:
        """Tell whether a model would let the app see: it may choose its encoder, and has none that does."""
        settings = self.settings
        found = clip_models.find(clip_models.named(settings.clip_model), settings.models_dir, settings.clip_model_dir)
        return settings.leaves_the_encoder_open and settings.clip_model_dir is None and found is None

    @property
    def taxonomy(self) -> Taxonomy:
        return self.discover.taxonomy

    def add_theme(self, kind: Kind, label: str, prompts: Sequence[str]) -> Theme:
        """Keep a person's own category or mood and use it from now on. Raises QueryError, SettingsError, StoreError."""
        theme = taxonomy.add(self.themes, kind, label, prompts)
        self.take_themes()
        return theme

    def take_themes(self) -> None:
        """Go by the categories and moods as they are written down now. Raises SettingsError, StoreError."""
        themes = taxonomy.load(own=self.themes)
        if themes == self.taxonomy:
            return
        self.discover.taxonomy = themes
        if isinstance(self.encoder, ReadAhead):
            self.encoder.read(fixed_texts(themes))
        if self.relabel:
            self.relabel.soon(SOON_S)

    def correct(self, video_id: str, kind: Kind, theme: str, holds: bool | None) -> bool:
        """Keep that a video is of a category or mood, or is not, whatever the encoder says; None takes that back.

        Labels, counts and results follow at once; return whether the video is in the library. Raises QueryError for a
        category or mood that there is not, and what the index raises.
        """
        entry = next(self.index.scroll(video_id=video_id, scope="video", with_vectors=False), None)
        if entry is None:
            return False
        id_ = (self.taxonomy.category(theme) if kind == "category" else self.taxonomy.mood(theme)).id
        self.library.corrections.say(entry.content_sha256, kind, id_, holds)
        self.library.editor.unlabel([entry.content_sha256])
        self.discover.label_again(video_id)
        tell(self.state)
        return True

    @property
    def own_themes(self) -> OwnThemes:
        """A person's own categories and moods, to be changed with what that would do seen first."""
        return OwnThemes(self.themes, self.discover, self.take_themes)

    def reading(self) -> Reading | None:
        """Return how far the encoder is with the texts that every search needs; None when it knows them all."""
        return self.encoder.reading() if isinstance(self.encoder, ReadAhead) else None

    def remove_theme(self, kind: Kind, id: str) -> None:
        """Forget a person's own category or mood, from now on; a shipped one that it replaced comes back.

        Raises QueryError, SettingsError, StoreError.
        """
        taxonomy.remove(self.themes, kind, id)
        self.take_themes()
        if self.relabel:
            self.relabel.soon(0.0)

    def frame(self, video_id: str, at_s: float) -> np.ndarray:
        """Return the frame of a video in the library at a time, (height, width, 3) uint8 RGB. Raises AppError."""
        entry = next(self.index.scroll(video_id=video_id, scope="video"), None)
        if entry is None:
            raise QueryError("The video is no longer in the library.")
        return sandbox.frame_at(self.store.local_path(entry.media_key) or self.store.url(entry.media_key), at_s)

    def caption(self, key: str) -> str:
        """Return the WebVTT under a key of the store. Raises AppError."""
        return stored.text_of(self.store, key)

    def start(self) -> None:
        """Start the workers; what was under way goes on."""
        self.jobs.start()
        self.reembed.tend()
        self.library.trash.start()
        if self.relabel:
            self.relabel.start()
        if self.folder_watch:
            self.folder_watch.start()
        if self.state.is_shared:
            look_again = self.relabel.look_again if self.relabel else self.discover.look_again
            self.watches.extend(started((self.themes, self.take_themes), (self.state.document(CHANGES), look_again)))
        if self.damage:
            self.damage.start()

    def close(self) -> None:
        """Stop the workers (their jobs stay resumable) and release the library."""
        if self.folder_watch:
            self.folder_watch.stop(timeout_s=10)
        if self.damage:
            self.damage.stop(timeout_s=10)
        if self.relabel:
            self.relabel.stop(timeout_s=10)
        for watch in self.watches:
            watch.stop(timeout_s=10)
        self.library.carrying.stop(timeout_s=10)
        self.library.trash.stop(timeout_s=10)
        self.reembed.stop(timeout_s=10)
        for warming in self.warmings:
            warming.stop()
        if self.getter:
            self.getter.stop()
        self.jobs.stop(timeout_s=10)
        self.arrivals.close()
        self.serving.close()
        self.state.close()


def build(settings: Settings, *, workers: int | None = None) -> Services:
    """Open everything the settings ask for; the workers are not started yet.

    `workers` is how many files this process works on at once where machines share the jobs; 0 for none.
    Raises SettingsError, LibraryLocked, EncoderMismatch, LibraryError or StoreError, each with what to do.
    """
    make_data_dir(settings)
    state = open_state_of(settings)
    try:
        return _built(settings, state, workers)
    except BaseException:
        state.close()
        raise


def _built(settings: Settings, state: State, workers: int | None) -> Services:
    own = state.document(THEMES)
    taxonomy.load(own=own)  # a mistake in it is said before anything is opened
    encoder, store = open_encoder(settings), open_store(settings)
    taste, channels = TasteBook(state.shelf("taste")), ChannelBook(state.shelf("channels"))
    corrections = Corrections(state.shelf("corrections"))
    warmings: list[Warming | ReadAhead] = []

    def discover_over(encoder: Encoder, index: Index) -> Discover:
        themes = taxonomy.load(own=own)
        filler = registry.filler(encoder.info.name)
        if isinstance(encoder, ReadAhead):
            encoder.read(fixed_texts(themes))
            warmings.append(encoder)
        if filler and filler[0].slow_texts:
            warmings.append(Warming(encoder, fixed_texts(themes)))
        return Discover(encoder=encoder, index=index, store=store, taxonomy=themes, taste=taste, said=corrections.of)

    spaces = open_spaces(settings)
    try:
        encoder = _as_filled(settings, encoder, spaces)
        serving = Serving(spaces, encoder, encoder_of=partial(_encoder_of, settings), discover_over=discover_over)
    except BaseException:
        spaces.close()
        raise
    try:
        pipeline = Pipeline(
            serving,
            store,
            work_dir=settings.data_dir / "work",
            max_bytes=settings.max_upload_bytes,
            sources={"sample": samples.render, FETCHED: getattr(store, "fetch", _no_bucket)},
            labelled=partial(_labelled, serving),
        )
        budget = pipeline.budget = Budget(
            SpendingBook(state.shelf("spending")),
            covers=_is_twelvelabs,
            minutes_a_day=settings.limits.minutes_a_day,
            minutes_a_day_each=settings.limits.minutes_a_day_each,
        )
        jobs = _queue(settings, pipeline, workers)
        rhythms = Rhythms(store, settings.data_dir / "rhythms")
        stills = Stills(lambda: serving.now.lane.index, store, settings.data_dir / "stills")

        def forget(content_sha256: str) -> None:
            rhythms.forget(content_sha256)
            stills.forget(content_sha256)

        book = TrashBook(state.shelf("trash"))
        trash = Trash(book, serving, store, jobs, taste, corrections, alone=state.alone, forget=forget)
        pipeline.deleted, editor = trash, Editor(serving, store, partial(tell, state))
        moments = Moments(lambda: serving.now.lane.index, store, settings.data_dir / "moments")
        listing = Listing(lambda: serving.now.lane.index, store, settings.data_dir)
        ads = wired_ads(state.document(ADS), store, settings.data_dir / "ads", lambda: serving.now.discover, rhythms)
        fitted = Calibrations(state.document(CALIBRATION))
        keepsakes = Keepsakes(taste, channels, corrections, own, fitted, ads.book)
        importer = Importer(serving, store, trash, keepsakes, settings.data_dir / "import.json")
        tend_or_wait(importer)
        carrying = Carrying(Exporter(serving, store, keepsakes), importer, settings.exports_dir)
        library = Library(listing, editor, trash, corrections, moments, carrying, stills)
        reembed = Reembed(serving, jobs, settings.data_dir / "reembed.json", partial(_named, settings, serving))
    except BaseException:
        serving.close()
        raise
    getter = Getter(settings.models_dir, threads=settings.clip_threads, on_ready=partial(_see, settings, serving))
    relabel = Relabel(lambda: serving.now.discover, alone=partial(state.alone, "labels"))
    trends = Trends(lambda: serving.now.discover)
    wired = (settings, store, serving, jobs, reembed, taste, channels, library, state, own, ads, trends)
    services = Services(*wired, warmings, getter, budget)
    folder_watch = None
    if settings.watch_dir:
        watched = WatchBook(state.shelf("watch"))
        folder_watch = FolderWatch(settings.watch_dir, jobs, watched, most=settings.limits.queue, alone=state.alone)
    looked = Damage(settings.data_dir, state, partial(lost_from, serving, jobs, store, TrashBook(state.shelf("trash"))))
    services = replace(services, relabel=relabel, folder_watch=folder_watch, damage=looked)
    importer.on_themes, importer.on_corrections = services.take_themes, editor.unlabel
    return services


def _labelled(serving: Serving, lane: Lane, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries of one video with what it answers, in a space that is being filled too: when that begins to
    answer, it has all labels."""
    return serving.discover_of(lane).with_labels(entries)


def _no_bucket(name: str, target: Path, on_progress: Progress) -> None:
    raise SettingsError(
        "s3:{name} cannot be fetched: set AWS_BUCKET_NAME and the credentials on every worker.", name=name
    )


def _see(settings: Settings, serving: Serving, model: ClipModel) -> None:
    """Take a model that was just got as the encoder that is set, where the settings leave it to the app.

    An empty library is its own from now on; one that another encoder filled goes on being answered by that. Raises
    AppError.
    """
    if settings.leaves_the_encoder_open and model.name == settings.clip_model:
        serving.configure(open_encoder(replace(settings, encoder="clip")))


def _is_twelvelabs(encoder: str) -> bool:
    found = registry.filler(encoder)
    return found is not None and found[0].name == "twelvelabs"


def open_state_of(settings: Settings) -> State:
    """Return where what people and jobs leave behind is kept. Raises AppError with what to do."""
    return open_state(settings.data_dir, settings.database_url)


def calibrations(settings: Settings) -> Calibrations:
    """Return what was fitted to the library. Raises AppError where the database cannot be used."""
    return Calibrations(open_state_of(settings).document(CALIBRATION))


def own_themes(settings: Settings) -> Document:
    """Return a person's own categories and moods. Raises AppError where the database cannot be used."""
    return open_state_of(settings).document(THEMES)


def make_data_dir(settings: Settings) -> None:
    """Make the folder that everything is written under. Raises StoreError."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            "DATA_DIR is {data_dir!r} and cannot be made ({why}). Point it at a folder this user may write to.",
            data_dir=str(settings.data_dir),
            why=error.strerror,
        ) from error


@contextmanager
def both_libraries(settings: Settings) -> Iterator[tuple[Spaces, Spaces, Store]]:
    """Open the embedded library, the one on the server, and the store, for a copy between the two.

    No encoder is needed. Raises what `build` raises; QDRANT_URL must be set.
    """
    store = open_store(settings)
    with (
        closing(open_spaces(replace(settings, qdrant_url=None))) as embedded,
        closing(open_spaces(settings)) as server,
    ):
        yield embedded, server, store


def open_encoder(settings: Settings) -> Encoder:
    """Return the encoder that is set, as it was fitted to the library if it was, with its texts remembered where they
    are slow or cost money.

    Raises SettingsError or EncoderError.
    """
    from core.state.texts import CachedText

    state = open_state_of(settings)
    shelf = state.shelf("texts")

    def remember(name: str, dimension: int, read: Callable[[Sequence[str]], np.ndarray]) -> Callable:
        # A memory of texts asks nothing else of what it wraps.
        return CachedText(cast(Encoder, _Reader(EncoderInfo(name, dimension, (), ()), read)), shelf).encode_text

    row = registry.named(settings.encoder)
    encoder = row.build(settings, remember)
    encoder.info = replace(encoder.info, calibration=calibrations(settings).of(encoder.info))
    if not row.paid:
        return encoder
    return ReadAhead(CachedText(encoder, shelf))


def _as_filled(settings: Settings, encoder: Encoder, spaces: Spaces) -> Encoder:
    """Return the encoder, or the one that fuses what is seen and heard where that has filled this library before.

    Both are the same model, paid for by the minute: a library goes on as it was begun unless somebody says otherwise.
    """
    if settings.marengo_embeddings != "auto" or not registry.named(settings.encoder).paid:
        return encoder
    fused = open_encoder(replace(settings, marengo_embeddings="fused"))
    there = {space.encoder for space in spaces.all()}
    return fused if fused.info.name in there and encoder.info.name not in there else encoder


def _encoder_of(settings: Settings, space: Space) -> Encoder:
    """Return the encoder that filled a space. Raises SettingsError saying what to set where it cannot run here."""
    found = registry.filler(space.encoder)
    if found is None:
        raise SettingsError(
            "The library was filled by {encoder}, which this version of the app does not have. The videos are all "
            "there: re-embed them with the encoder that is set (python -m core reembed).",
            encoder=space.encoder,
        )
    row, variables = found
    asked = replace(settings, encoder=row.name, **variables)
    if (lacks := row.lacks(asked)) is not None:
        if row.paid:
            lacks = Sentence(
                "{variable} is not set. Set it to search in words, or re-embed the videos with the encoder that is set "
                "(python -m core reembed).",
                variable=row.variables[0],
            )
        raise SettingsError(
            "The library was filled by {encoder}, which cannot run here. {lacks}", encoder=space.encoder, lacks=lacks
        )
    return open_encoder(asked)


def _named(settings: Settings, serving: Serving, name: str) -> Encoder:
    """Return the encoder whose space has this name. Raises SettingsError saying what to set where it cannot run."""
    if name == serving.configured.info.name:
        return serving.configured
    for space in serving.spaces.all():
        if space.encoder == name:
            return _encoder_of(settings, space)
    raise SettingsError("{name} has filled nothing of this library. Start re-embedding anew.", name=name)


def encoder_to(settings: Settings, serving: Serving, wanted: str | None) -> Encoder:
    """Return the encoder to re-embed with: that which is set, or one of encoders/registry.py by its name.

    Raises SettingsError for one that there is not, or that cannot run here.
    """
    if wanted is None or wanted == settings.encoder:
        return serving.configured
    row = registry.named(wanted)
    asked = replace(settings, encoder=row.name)
    if (lacks := row.lacks(asked)) is not None:
        raise SettingsError(lacks)
    return open_encoder(asked)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What turns texts into rows, as an encoder of nothing else."""

    info: EncoderInfo
    encode_text: Callable[[Sequence[str]], np.ndarray]


def open_ledger(settings: Settings) -> SqliteLedger:
    """Return what is written down of jobs. Raises StoreError."""
    return SqliteLedger(settings.jobs_path)


def _queue(settings: Settings, pipeline: Pipeline, workers: int | None) -> Queue:
    if settings.database_url:
        from core.ingest.shared import SharedQueue

        jobs, engine = open_shared(settings)
        return SharedQueue(jobs, jobs, engine, pipeline, workers=workers)
    ledger = open_ledger(settings)
    try:
        return JobQueue(ledger, pipeline, spool_dir=settings.spool_dir)
    except BaseException:
        ledger.close()
        raise


def open_shared(settings: Settings) -> tuple[PostgresJobs, Engine]:
    """Return the jobs that machines share, and what hands them to workers. Raises AppError with what to do."""
    from core.state.engine import Engine
    from core.state.postgres_jobs import PostgresJobs

    assert settings.database_url is not None, "who shares jobs has a database"
    shared = database(settings.database_url)
    engine = Engine(shared, lost_s=settings.worker_lost_s)
    engine.prepare()
    return PostgresJobs(shared, engine), engine


def unfinished(settings: Settings) -> list[JobRecord]:
    """Return the jobs that are not over, as they are written down. Raises AppError with what to do."""
    if settings.database_url:
        records = [taken.job for taken in open_shared(settings)[0].changes(0)[0]]
    else:
        with closing(open_ledger(settings)) as ledger:
            records = ledger.load()
    return [record for record in records if not record.stage.is_over]


def open_store(settings: Settings) -> CountedStore:
    """Return the store that is set. Raises SettingsError or StoreError."""
    if settings.aws_bucket:
        from core.stores.s3 import S3Store

        return S3Store(
            settings.aws_bucket,
            region=settings.aws_region,
            endpoint_url=settings.aws_endpoint_url,
            access_key=settings.aws_access_key,
            secret_key=settings.aws_secret_key,
            session_token=settings.aws_session_token,
            public_read=settings.s3_public_read,
        )
    if settings.served_dir:
        from core.stores.static import StaticFolderStore

        return StaticFolderStore(settings.media_dir, settings.served_dir, max_bytes=STATIC_FILE_MB * 1024 * 1024)
    from core.stores.folder import FolderStore

    return FolderStore(settings.media_dir, sign=Access(settings.access, settings.data_dir).sign_media)


def open_spaces(settings: Settings) -> Spaces:
    """Return the spaces of the library that is set. Raises LibraryError and its kinds, or Unavailable."""
    if settings.qdrant_url:
        from core.index.server_spaces import ServerSpaces
        from core.index.sizing import Sizing

        return ServerSpaces(
            settings.qdrant_url,
            settings.qdrant_api_key,
            settings.qdrant_collection,
            grpc_port=settings.qdrant_grpc_port,
            sizing=Sizing(
                settings.qdrant_on_disk,
                settings.qdrant_quantize,
                settings.qdrant_shards,
                settings.qdrant_replicas,
                settings.qdrant_write_consistency,
            ),
        )
    from core.index.edge_spaces import EdgeSpaces

    return EdgeSpaces(settings.data_dir)
