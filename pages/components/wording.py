"""All words that people read on the pages, and raw numbers as people read them.

A second language is a second table with the same keys (chinese.py): a new word goes into both. Core has its words
(categories, what an encoder sees) in English, and its sentences (core.errors); another language has tables of both.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.languages import language_name
from pages.components.chinese import CHINESE
from pages.components.state import Language, state
from pages.components.telling import tell as tell
from pages.components.telling import tell_in as tell_in
from pages.components.wording_insight import INSIGHT

Template = str | tuple[str, str]
"""A text for str.format, or two, of which the first is for `n` = 1."""

ENGLISH: dict[str, Template] = {
    **INSIGHT,
    # Around every page
    "app.name": "Moodreel",
    "app.title": "{page} · Moodreel",
    "preview.text": "Find videos by what happens in them and how they feel.",
    "preview.video": "From {start} of {length}",
    "other.language": "中文",
    "other.language.help": "用中文显示",
    "list": ", ",
    "broken.title": "The library cannot be opened",
    "broken.hint": "Nothing is lost. When it is mended, reload this page.",
    "broken.static": "This host serves none of the app's own addresses, and Streamlit's static serving is off, so no "
    "video could play. Set enableStaticServing = true under [server] in .streamlit/config.toml (Streamlit turns it off "
    "at start while {folder} holds more than 1 GB), or keep the videos in S3: set AWS_BUCKET_NAME.",
    "broken.unguarded": "ACCESS is {mode}, but this host runs streamlit_app.py as a plain script, where nothing stands "
    "before the videos. Start it by `streamlit run streamlit_app.py`, or set ACCESS=open.",
    # Who may do what
    "open": "Open to whoever reaches this machine: all may add videos, spend minutes and change the library. To ask "
    "who is there, set ACCESS (docs/security.md).",
    "signin.title": "Sign in to Moodreel",
    "signin.text": "Type the password you were given.",
    "signin.password": "Password",
    "signin.press": "Sign in",
    "signin.provider": "Sign in with the account of your organisation.",
    "signin.stranger": "You are signed in as {name}, and this account is not among those that may come in. Ask who "
    "runs this app to add it.",
    "signin.other": "Use another account",
    "signin.over": "You are not signed in, or your session is over. Sign in to go on.",
    "signin.no-provider": "ACCESS is oidc, but there is no [auth] section in .streamlit/secrets.toml. Write it as "
    "docs/security.md shows.",
    "full.title": "Too many visitors",
    "full.text": "All places are taken at the moment. This page tries again by itself.",
    "queue.full": (
        "{n:,} file is waiting already, and no more are taken for now. Add yours when it is done.",
        "{n:,} files are waiting already, and no more are taken for now. Add yours when some are done.",
    ),
    "signout": "Sign out",
    "role.viewer": "Viewer",
    "role.editor": "Editor",
    "role.named": "{name} · {role}",
    "may-not": "Only for editors",
    "may-not.you": "You are: {who}.",
    "may-not.add": "Only editors add videos or send files. Ask who runs this app to make you one.",
    "may-not.manage": "Only editors change what is in the library. Ask who runs this app to make you one.",
    "may-not.themes": "Own categories and moods are made by editors, for everybody sees them.",
    "may-not.channels": "Channels are saved by editors, for everybody sees them.",
    "ask.picture.instead": "A frame of any video can be searched by: open its “Why this?”.",
    # The badge
    "badge.recognises": "Sees what is in the picture",
    "badge.measures": "Sees light, colour, sound and names",
    "badge.filling": "Being filled",
    "badge.filling.value": "{encoder}: {done:,} of {total:,} videos",
    "badge.set": "Set, but not filled",
    "badge.outgrown": "Outgrown",
    "badge.outgrown.value": "A search of words takes longer than 25 ms here. Set QDRANT_URL to a Qdrant server and run "
    "python -m core move --to server",
    "badge.down": "The library does not answer",
    "badge.library": "Library",
    "badge.videos": ("{n:,} video", "{n:,} videos"),
    "badge.encoder": "Encoder",
    "badge.index": "Index",
    "badge.index.value": ("{index} · {n:,} clip", "{index} · {n:,} clips"),
    "badge.store": "Store",
    "badge.sees": "It sees",
    "badge.blind": "It does not see",
    "badge.you": "You are",
    "backend.edge": "Qdrant Edge, in this app",
    "backend.server": "Qdrant server",
    "backend.folder": "local folder",
    "backend.s3": "S3",
    # Discover
    "discover.title": "Discover",
    "shelf.you": "For you",
    "shelf.newest": "Newest",
    "shelf.pair": "{mood} {category}",
    "shelf.all": "See all",
    "watch.leave": "Back to all videos",
    "watch.gone": "This video is no longer in the library. Go back and look for another one.",
    "news": ("{n:,} new video", "{n:,} new videos"),
    "empty.title": "Your library is empty",
    "empty.text": "Add videos of your own, or start with a small library of animated scenes drawn on the spot.",
    "empty.add": "Add my videos",
    "empty.coming": "Your first videos are on their way",
    "empty.coming.text": "The first one appears here as soon as it is ready.",
    "empty.coming.watch": "Watch them arrive",
    "nothing.title": "Nothing here matches that",
    "nothing.text": "No video in the library fits {asked}.",
    "nothing.filters": "Some do without the filters.",
    "nothing.words": "Try other or fewer words, or press a category.",
    "nothing.instead": "Nearest to it in your library:",
    "found": ("{n:,} video for {asked}", "{n:,} videos for {asked}"),
    "found.about": ("At least {n:,} video for {asked}", "At least {n:,} videos for {asked}"),
    "found.words": "“{words}”",
    "found.among": ("{n:,} video of the map", "{n:,} videos of the map"),
    "found.like": "more like a video",
    "found.picture": "more like a picture",
    "found.taste": "you",
    "found.all-seen": "You have seen all that fits, so here it is again.",
    "found.more": "Show more",
    "found.before": "Back to those before",
    "labels.pending": "What your videos answer is being worked out again: {done:,} of {total:,} are done. Until then "
    "new categories and moods find only some of them.",
    "labels.first": "What your videos answer is being worked out: {done:,} of {total:,} are done. Until then the "
    "nearest are looked at for each search.",
    "labels.problem": "What your videos answer is being worked out: {done:,} of {total:,} are done. It is waiting: "
    "{problem}",
    "reading": "The encoder reads the categories and moods, once: {known} of {total} are known. Until then they find "
    "nothing; this page goes on by itself.",
    "reading.problem": "The encoder reads the categories and moods, once: {known} of {total} are known. It is waiting: "
    "{problem} It goes on by itself.",
    # What is asked
    "ask.words": "Search in words",
    "ask.words.example": "A dog on grass, storm at sea, robots …",
    "ask.picture": "Picture",
    "ask.picture.help": "Find videos that look like a picture",
    "ask.picture.drop": "Drop a picture",
    "ask.category": "Category",
    "ask.category.more": "More",
    "ask.category.less": "Fewer",
    "ask.mood": "Mood",
    "ask.mood.any": "Any",
    "ask.strength": "Mood strength",
    "ask.strength.now": "Mood {share:.0%}",
    "ask.strength.help": "At the left only what you asked for counts, at the right only the mood.",
    "chip.among": ("{n:,} video of the map", "{n:,} videos of the map"),
    "chip.video": "More like this video",
    "chip.moment": "More like this moment",
    "chip.picture": "Like this picture",
    "chip.drop": "Drop this",
    # Tune
    "tune": "Filters",
    "tune.help": "Length, shape, sound, order, variety, whose taste",
    "tune.variety": "Variety: from the closest to a surprise",
    "tune.order": "Order",
    "sort.match": "Best match",
    "sort.newest": "Newest first",
    "sort.oldest": "Oldest first",
    "sort.shortest": "Shortest first",
    "sort.longest": "Longest first",
    "tune.who": "Whose taste counts",
    "tune.who.help": "Any name. Likes are kept under it on this machine.",
    "tune.who.yours": "Yours, {name}. Nobody else sees or changes your likes.",
    "tune.who.instead": "{problem} Until then this is the taste of {name}.",
    "tune.forget": "Forget this taste",
    "tune.unseen": "Hide what I have seen",
    "tune.mix": "Mix several categories and moods",
    # Properties of core/properties.py: each by its name, and its options
    "length": "Length",
    "length.under-10s": "under 10 s",
    "length.10s-1min": "to 1 min",
    "length.1-10min": "to 10 min",
    "length.over-10min": "over 10 min",
    "shape": "Shape",
    "shape.landscape": "landscape",
    "shape.portrait": "portrait",
    "shape.square": "square",
    "sound": "Sound",
    "sound.with-sound": "with sound",
    "sound.silent": "silent",
    "language": "Subtitles",
    # Channels and own categories
    "channels": "Channels",
    "keep": "Save",
    "keep.help": "Save this search as a channel; add your own category or mood",
    "channel.name": "Save this search as a channel",
    "channel.example": "Calm nature for the lobby",
    "channel.save": "Save channel",
    "channel.saved": "Saved {name}.",
    "channel.replaced": "The channel {name} is replaced by this search.",
    "channel.removed": "{name} is removed.",
    "channel.remove": "Remove {name}",
    "own.kind": "Add your own",
    "own.kind.category": "category",
    "own.kind.mood": "mood",
    "own.name": "Name",
    "own.name.example": "Cosy",
    "own.phrases": "A few phrases, one a line",
    "own.phrases.example": "warm light in a small room\nrain outside",
    "own.add": "Add",
    "own.added.category": "{name} is added. It is in the line of categories.",
    "own.added.mood": "{name} is added. It is in the line of moods.",
    "own.remove": "Remove {name}",
    "own.removed": "{name} is removed.",
    "own.saved": "{name} is saved.",
    "own.moved": "{name} is moved.",
    "own.list.category": "Own categories",
    "own.list.mood": "Own moods",
    "own.none.category": "None yet. Add one of your own, or say in other words what one of the app's is.",
    "own.none.mood": "None yet. Add one of your own, or say in other words what one of the app's is.",
    "own.none.channels": "None yet. A channel is a search with a name: press Save on Discover.",
    "own.new.category": "New category",
    "own.new.mood": "New mood",
    "own.reword.category": "Reword a category of the app",
    "own.reword.mood": "Reword a mood of the app",
    "own.up": "Up",
    "own.down": "Down",
    "own.edit": "Edit",
    "own.delete": "Delete",
    "own.save": "Save",
    "own.cancel": "Cancel",
    "own.try": "Show what this would change",
    "own.channel.rename": "Links to it go on to work.",
    "own.effect": "Finds {before:,} now, would find {after:,}.",
    "own.effect.gone": "Finds {before:,} now. Without it, {after:,} would be found by this name.",
    "own.effect.gained": "New: {titles}",
    "own.effect.lost": "No longer: {titles}",
    "own.effect.other": "{name}: {before:,} now, {after:,} then",
    "own.effect.channels": "Channels that ask for it: {names}",
    "own.effect.some": (
        "Looked at {looked_at:,} of {n:,} video.",
        "Looked at {looked_at:,} of {n:,} videos.",
    ),
    # How results are shown
    "view": "View",
    "view.grid": "Grid",
    "view.feed": "Feed",
    "view.present": "Present",
    "view.present.help": "Hide all but the videos",
    "view.leave": "Leave presenting",
    "feed.previous": "Previous",
    "feed.next": "Next",
    "feed.place": "{number:,} of {total:,}",
    "feed.place.about": "{number:,} of at least {total:,}",
    # A video
    "match.high": "Great match",
    "match.medium": "Good match",
    "match.low": "Maybe",
    "card.moments": "Matching moments",
    "card.play": "Play {title}",
    "card.go-on": "Continue at {time}",
    "card.next": "Next",
    "share": "Share",
    "share.done": "Link copied",
    "mark.like": "More of this kind",
    "mark.dislike": "Less of this kind",
    "mark.seen": "Seen it",
    "mark.undo": "{mark}, undo",
    "mark.undo.help": "{mark} (press to undo)",
    "undo": "Undo",
    "keys": "Keys",
    "keys.search": "Go to the search",
    "keys.step": "Previous and next video in the feed",
    "keys.next": "Play the next video",
    "keys.play": "Go from video to video, and play one",
    "keys.leave": "Leave presenting, close a menu",
    "keys.help": "Show these keys",
    "marked.like": "More of this kind from now on.",
    "marked.dislike": "Less of this kind from now on.",
    "marked.seen": "Noted.",
    "more": "More like this",
    "more.moment": "More like this moment ({time})",
    "more.second": "Find the frame at second",
    "more.frame": "More like this frame",
    "why": "Why this?",
    "why.on": "Go on from here",
    "why.category": "Category",
    "why.words": "Words",
    "why.mood": "Mood",
    "why.similar": "Like",
    "why.picture": "Picture",
    "why.taste": "Your taste",
    "why.taste.liked": "nearer to what you like",
    "why.taste.disliked": "nearer to what you dislike",
    "why.yours": "your picture",
    "why.seen": "Seen at this moment",
    "why.moment": "Moment",
    "why.span": "{start} to {end} of {length}",
    "why.copies": ("{n:,} copy folded into this card", "{n:,} copies folded into this card"),
    "similar": "Most like it",
    # What the local encoder says it saw, where people say it otherwise
    "seen.warm": "warm colours",
    "seen.cool": "cool colours",
    "seen.red": "red tones",
    "seen.green": "green tones",
    "seen.blue": "blue tones",
    "seen.pastel": "soft colours",
    "seen.pale": "faded colours",
    "seen.flat colours": "plain areas of colour",
    "seen.rich in detail": "full of detail",
    "seen.high contrast": "strong light and shade",
    "seen.flickering": "flickering light",
    "seen.much motion": "lots of movement",
    "seen.still": "hardly moves",
    "seen.slow": "slow movement",
    "seen.speech-like": "sounds like talking",
    "seen.music-like": "sounds like music",
    "seen.noisy": "noise",
    "seen.rhythmic": "a beat",
    "seen.shrill": "high sounds",
    # Ingest
    "ingest.title": "Ingest",
    "ingest.subtitle": "Drop videos and watch them being checked, stored, embedded and indexed.",
    "upload": "Drop videos here: any format, up to {megabytes} MB each",
    "upload.press": "Choose files",
    "upload.help": "What a browser cannot play is converted; nothing leaves this machine unless you set it up to.",
    "upload.problem": "“{filename}”: {problem}",
    "arriving": "“{filename}” is arriving: {done:,.0f} of {total:,.0f} MB",
    "samples": "Add the sample library",
    "samples.help": "{scenes} short scenes, drawn and scored on this machine in about a minute.",
    # The model that sees
    "model.why": "So far the app measures pictures and sound and reads names. With a model it also recognises what is "
    "in the pictures.",
    "model.get": "Let it see: downloads {gigabytes:.1f} GB once, stays on this machine",
    "model.again": "Go on: {gigabytes:.1f} GB in all, what is here already is kept",
    "model.asking": "Asking for the model …",
    "model.downloading": "{done:,.1f} of {total:,.1f} MB · you can leave this page, it goes on",
    "model.trying": "All {total:,.1f} MB are here; it is being tried out",
    "model.ready": "The model is here: from now on the app sees what is in the videos you add.",
    "model.ready.behind": "The model is here. The videos in your library were added without it and go on being found "
    "as before; re-embed them to let it look at them.",
    "jobs.overall": (
        "{ready:,} of {n:,} file ready · you can leave this page, the work goes on",
        "{ready:,} of {n:,} files ready · you can leave this page, the work goes on",
    ),
    "jobs.cost": "{encoder} will charge for {minutes:.1f} minutes of video in these files.",
    "jobs.cost.unchecked": (
        "{encoder} will charge for {minutes:.1f} minutes of video in these files, and {n:,} file not checked yet.",
        "{encoder} will charge for {minutes:.1f} minutes of video in these files, and {n:,} files not checked yet.",
    ),
    "budget": "Today {used:.1f} of {most:g} minutes are used. What does not fit waits for tomorrow (UTC).",
    "budget.yours": "Of these, you used {used:.1f} of the {most:g} that one person may.",
    "reembed.title": "Let {new} read your library",
    "reembed.means": "{new} is set, but {old} has read the videos that are here, so it goes on answering. Re-embedding "
    "lets {new} read them all again, from their stored copies. Likes, channels and links stay as they are.",
    "reembed.takes": (
        "{n:,} video to read ({there:,} done already), about {time}. {old} answers until all are done.",
        "{n:,} videos to read ({there:,} done already), about {time}. {old} answers until all are done.",
    ),
    "reembed.pay": "{encoder} may use {minutes:.1f} minutes of my plan for this.",
    "reembed.start": "Re-embed",
    "reembed.going": "{new} is reading your library",
    "reembed.progress": (
        "{done:,} of {n:,} video · about {time} left · {old} answers until then, and you can leave this page",
        "{done:,} of {n:,} videos · about {time} left · {old} answers until then, and you can leave this page",
    ),
    "reembed.without": ("Go on without {n:,} video", "Go on without {n:,} videos"),
    "reembed.without.help": "They will not be found any more until they are added again. Their files stay.",
    "reembed.old": "What {names} made of your videos is still here.",
    "reembed.free": "Free the old space",
    "reembed.free.means": "What {names} made goes for good. To go back, the videos have to be re-embedded. Videos, "
    "likes and links stay.",
    "reembed.hint": "Let {new} read your library",
    "reembed.hint.going": "{encoder} is reading your library: {done:,} of {total:,} videos. Till then nothing changes.",
    "damage.title": ("A file was damaged", "{n:,} files were damaged"),
    "pause": ("The encoder is paused; {n:,} file waits for it", "The encoder is paused; {n:,} files wait for it"),
    "pause.next": "Nothing is lost and nothing fails. It is tried again in {time}, with one file.",
    "pause.trying": "Nothing is lost and nothing fails. One file is trying it now.",
    "pause.try": "Try now",
    "jobs.more": ("and {n:,} more file waiting", "and {n:,} more files waiting"),
    "job.queued": "Waiting",
    "job.checking": "Checking",
    "job.drawing": "Drawing",
    "job.storing": "Storing",
    "job.embedding": "Embedding",
    "job.indexing": "Indexing",
    "job.failed": "Failed",
    "job.cancelled": "Cancelled",
    "job.progress": "{stage} · {progress:.0%}",
    "job.retry": "Retry",
    "job.cancel": "Cancel",
    "job.dismiss": "Dismiss",
    "stopped": ("{n:,} file was not added", "{n:,} files were not added"),
    "stopped.clear.help": "Your own files stay where they are.",
    "ready": ("{n:,} video ready", "{n:,} videos ready"),
    "watched": "Watching {folder}",
    "watched.waiting": ("{n:,} waiting", "{n:,} waiting"),
    "watched.failed": ("{n:,} could not be added", "{n:,} could not be added"),
    "watched.gone": (
        "{n:,} is not there any more; its video stays",
        "{n:,} are not there any more; their videos stay",
    ),
    "ready.clear": "Clear this list",
    "ready.clear.help": "The videos stay.",
    "ready.gone": "No longer in the library.",
    "ready.after": "{length} · ready after {time}",
    # Library
    "library.title": "Library",
    "library.subtitle": "Everything you have: rename it, tag it, take it out.",
    "library.used": "{size} used",
    "library.free": "{size} free",
    "library.working": ("{n:,} file being worked on", "{n:,} files being worked on"),
    "library.watch": "Watch",
    "library.tabs": "Part of the library",
    "library.tab.videos": "Videos",
    "library.tab.trends": "Trends",
    "library.tab.ads": "Ads",
    "library.tab.own": "Your own",
    "library.tab.trash": "Trash",
    "library.tab.carry": "Export and import",
    "library.name": "Search by name",
    "library.name.example": "Title, file name or tag",
    "library.view.grid": "Grid",
    "library.view.table": "Table",
    "arrange.newest": "Newest first",
    "arrange.oldest": "Oldest first",
    "arrange.title": "By title",
    "arrange.longest": "Longest first",
    "arrange.shortest": "Shortest first",
    "arrange.largest": "Largest file first",
    "library.found": ("{n:,} video", "{n:,} videos"),
    "library.nothing": "No video has that name. Try fewer words, or take filters off.",
    "library.pick": "Select {title}",
    "library.pick.all": "Select all on this page",
    "library.pick.none": "Select none",
    "library.picked": ("{n:,} video selected", "{n:,} videos selected"),
    "library.open": "Open {title}",
    "library.why": "Why these labels?",
    "library.why.means": "How far the video stands out to each, the most first. From {fits:.1f} on it counts.",
    "library.why.one": "{name} · {standing:.1f}",
    "library.why.not-yet": "It is being worked out.",
    "library.jobs": "Jobs",
    "library.jobs.none": "No job of it is kept any more.",
    "library.jobs.ready": "Added on {day}, ready after {time}",
    "library.jobs.all": "All jobs",
    "library.back": "Back to the library",
    "library.delete": "Delete",
    "library.deleted": ("{n:,} video deleted.", "{n:,} videos deleted."),
    "library.restored": ("{n:,} video is back.", "{n:,} videos are back."),
    "library.undo": "Undo",
    "library.undo.what": "Deleted: {what}",
    "library.undo.hide": "Hide",
    "library.column.title": "Title",
    "library.column.length": "Length",
    "library.column.size": "Size",
    "library.column.added": "Added",
    "library.fact.file": "File",
    "library.fact.picture": "Picture",
    "library.fact.seen": "Seen in it",
    "edit.title": "Title",
    "edit.tags": "Tags, separated by commas",
    "edit.tags.example": "holiday, beach, 2026",
    "edit.save": "Save",
    "edit.saved": "Saved. It is found by these words now.",
    "correct.add": "Add",
    "correct.not": "This is not {name}",
    "correct.back": "Take back what you said of {name}",
    "correct.yours": "{name} (yours)",
    "correct.yours.not": "Not {name} (yours)",
    "correct.how": "Press what it is not. What you say counts more than the encoder, and stays when another one reads "
    "the video.",
    "take.whole": "Download",
    "take.moment": "Cut a moment",
    "take.from": "From second",
    "take.to": "To second",
    "take.cut": "Download {start} to {end}",
    "take.how": "Where a key frame is near, nothing is encoded anew; it may begin half a second earlier.",
    "take.wrong": "A moment ends after it begins.",
    "carry.out": "Export",
    "carry.out.means": "Everything, to have it elsewhere without encoding or paying again: videos, what was seen in "
    "them, likes, channels, own categories, corrections, ads. Deleted videos and jobs stay behind. It is written "
    "into {folder}.",
    "carry.name": "Name of the export",
    "carry.name.example": "library",
    "carry.export": "Export",
    "carry.exporting": "Exporting {name}. You can leave this page.",
    "carry.exported": (
        "{n:,} video, {size}: exported as “{name}”, and checked.",
        "{n:,} videos, {size}: exported as “{name}”, and checked.",
    ),
    "carry.in": "Import",
    "carry.in.means": "What is here already stays as it is.",
    "carry.holds": ("{n:,} video · {size} · {day}", "{n:,} videos · {size} · {day}"),
    "carry.incomplete": "Not complete: it was interrupted. Export under this name again where it was made.",
    "carry.import": "Import",
    "carry.importing": "Importing {name}. You can leave this page.",
    "carry.imported": ("{n:,} video came.", "{n:,} videos came."),
    "carry.present": ("{n:,} was here already.", "{n:,} were here already."),
    "carry.restored": ("{n:,} was in the trash, and is back.", "{n:,} were in the trash, and are back."),
    "carry.problems": ("{n:,} thing was left out", "{n:,} things were left out"),
    "carry.stopped": "It stopped. Nothing is half there, and it can go on.",
    "carry.cancelled": "Cancelled. Nothing is half there, and it can go on.",
    "carry.again": "Go on",
    "trash.empty": "Nothing was deleted within the last day.",
    "trash.says": ("{n:,} video. For a day it can be had back.", "{n:,} videos. For a day they can be had back."),
    "trash.left": "goes for good in {time}",
    "trash.restore": "Restore",
    "trash.restore.all": "Restore all",
    "trash.purge": "Delete now",
    "trash.purge.all": "Empty the trash",
    "trash.purge.means": (
        "{n:,} video goes for good: its file, its likes and all that is known of it.",
        "{n:,} videos go for good: their files, their likes and all that is known of them.",
    ),
    "trash.purge.sure": "Delete for good",
    "trash.purged": ("{n:,} video is gone for good.", "{n:,} videos are gone for good."),
    "trash.more": ("and {n:,} more", "and {n:,} more"),
    "trash.returning": (
        "{n:,} video comes back as soon as the encoder has read it.",
        "{n:,} videos come back as soon as the encoder has read them.",
    ),
    "trash.held": "Did not come back: the encoder that answers now has not read it.",
    "trash.held.why": "Did not come back. {why}",
    "trash.held.again": "Retry",
    "trash.held.delete": "Delete",
    # Times and sizes
    "time.hours": "{hours} h {minutes:02d} min",
    "size.kilobytes": "{size:,.0f} KB",
    "size.megabytes": "{size:,.1f} MB",
    "size.gigabytes": "{size:,.1f} GB",
    "time.seconds": "{seconds} s",
    "time.minutes": "{minutes} min {seconds:02d} s",
}


TABLES: Mapping[Language, Mapping[str, Template]] = {"en": ENGLISH, "zh": CHINESE}


def say(key: str, **values: object) -> str:
    """Return the text of this key with its values, in the language of who reads; of two forms the one for `n`."""
    return say_in(state.language, key, **values)


def say_in(language: Language, key: str, **values: object) -> str:
    """Return the text of this key with its values in a language: where nobody looks at a page."""
    template = TABLES[language][key]
    if not isinstance(template, str):
        template = template[0] if values["n"] == 1 else template[1]
    return template.format(**values)


def named(kind: str, id_: str, otherwise: str) -> str:
    """Return what this is called in the language of who reads: by kind and id, or else as core says it in English."""
    return named_in(state.language, kind, id_, otherwise)


def named_in(language: Language, kind: str, id_: str, otherwise: str) -> str:
    """Return what this is called in a language: where nobody looks at a page."""
    key = f"{kind}.{id_}"
    return say_in(language, key) if key in TABLES[language] else otherwise


def language_word(code: str) -> str:
    """Return a language's name: German for "de", Portuguese (BR) for "pt-br"."""
    language, _, region = code.partition("-")
    name = named("language", language, "")
    return language_name(code) if not name else f"{name} ({region.upper()})" if region else name


def clock(seconds: float) -> str:
    """Return a time in a video: 0:07, 12:30, 1:02:03."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def elapsed(seconds: float) -> str:
    """Return how long something took: 4 s, 2 min 05 s."""
    whole = round(seconds)
    if whole < 60:
        return say("time.seconds", seconds=whole)
    return say("time.minutes", minutes=whole // 60, seconds=whole % 60)


def hours(seconds: float) -> str:
    """Return how long something still lasts: 23 h 05 min, 12 min 00 s."""
    whole = max(int(seconds), 0)
    if whole < 3600:
        return elapsed(whole)
    return say("time.hours", hours=whole // 3600, minutes=whole // 60 % 60)


def megabytes(size_bytes: int) -> str:
    """Return how much a file takes: 820 KB, 1.4 MB, 12.0 GB."""
    for unit, name in ((1e9, "gigabytes"), (1e6, "megabytes")):
        if size_bytes >= unit:
            return say(f"size.{name}", size=size_bytes / unit)
    return say("size.kilobytes", size=size_bytes / 1e3)


def day(time: str) -> str:
    """Return the day of a time in ISO 8601."""
    return time[:10]


def plain(text: str) -> str:
    """Return text escaped, so that Markdown shows it as it is."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+-.!|<>$:~&" else letter for letter in text)
