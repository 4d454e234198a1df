"""Re-embed the library from the command line: python -m core reembed [--to ENCODER] [--yes] [--drop-old]"""

from __future__ import annotations

import sys
from collections.abc import Callable

from core.errors import AppError
from core.ingest.reembed import Plan, Status
from core.library.bar import draw
from core.services import Services, encoder_to

LOOK_EVERY_S = 0.3


def run(
    services: Services,
    *,
    to: str | None = None,
    yes: bool = False,
    drop_old: bool = False,
    skip_failed: bool = False,
    say: Callable[[str], None] = print,
    ask: Callable[[str], str] | None = None,
) -> int:
    """Put all videos into the space of an encoder, say how it went, and return the exit code: 1 if any failed.

    `ask` puts a question to a person and is None where there is nobody. Raises AppError with what to do.
    """
    encoder = encoder_to(services.settings, services.serving, to)
    name = encoder.info.name
    if drop_old and name != services.serving.configured.info.name:
        raise AppError(
            "{name} would be ready, but {configured} is the encoder that is set, so the old vectors are still "
            "needed. Set ENCODER first, or leave --drop-old out.",
            name=name,
            configured=services.serving.configured.info.name,
        )
    if name == services.encoder.info.name:
        say(f"{name} answers already: there is nothing to re-embed.")
    else:
        plan = services.reembed.plan(encoder)
        for line in _told(plan, services.encoder.info.name):
            say(line)
        if plan.videos and not yes and not _agreed(ask):
            return 1
        services.start()
        services.reembed.start(encoder)
        failed = _watch(services, say, skip_failed)
        if failed:
            say(
                f"{failed} could not be re-embedded, so {services.encoder.info.name} goes on answering. Mend what is "
                "said above and run the same command again, or go on without them: add --skip-failed."
            )
            return 1
        if services.encoder.info.name == name:
            say(f"All videos are re-embedded: {name} answers now.")
        else:
            say(f"All videos are re-embedded with {name}. Set ENCODER to it, and it answers.")
    if drop_old:
        dropped = services.reembed.free_old()
        say(f"Freed what was made by: {', '.join(dropped)}." if dropped else "There is nothing old to free.")
    return 0


def _told(plan: Plan, answering: str) -> list[str]:
    there = f" ({plan.present:,} are there already)" if plan.present else ""
    lines = [
        f"{plan.videos:,} videos with {plan.seconds / 60:,.1f} minutes are to be re-embedded with "
        f"{plan.encoder.name}{there}. That takes about {_long(plan.takes_s)}; {answering} answers until then."
    ]
    if plan.encoder.paid and plan.videos:
        lines.append(f"{plan.encoder.name} will use {plan.seconds / 60:,.1f} minutes of your plan.")
    return lines


def _agreed(ask: Callable[[str], str] | None) -> bool:
    if ask is None:
        raise AppError("Nobody is here to agree to that. Run the command in a terminal, or add --yes.")
    return ask("Begin? [y/N] ").strip().casefold() in ("y", "yes")


def _watch(services: Services, say: Callable[[str], None], skip_failed: bool) -> int:
    """Draw how far it is until it is over or waits for a person; return how many videos failed."""
    reembed, said = services.reembed, set()
    while (status := reembed.status()) is not None:
        draw(_doing(status), status.done / max(status.total, 1))
        for job in status.failed:
            if (job.id, job.reason) not in said:
                said.add((job.id, job.reason))
                draw("", 1.0)
                say(f"failed    {job.filename} – {job.reason}")
        if status.problem is not None:
            raise AppError(status.problem)
        if status.waits:
            if not skip_failed:
                return len(status.failed)
            reembed.go_on_without()
        reembed.wait(LOOK_EVERY_S)
    draw("", 1.0)
    return 0


def _doing(status: Status) -> str:
    return f"re-embedding: {status.done:,} of {status.total:,}, about {_long(status.left_s)} left"


def _long(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{seconds / 60:,.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def terminal() -> Callable[[str], str] | None:
    """Return what asks a person at the terminal; None when there is none."""
    return input if sys.stdin.isatty() else None
