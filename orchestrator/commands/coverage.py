"""`xunkao coverage`: proof of coverage and of silence."""

import asyncio
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import typer
from typer.core import TyperGroup

from contract.clock import SystemClock
from contract.keys import BadSignature, fingerprint, from_base64, kid_of, to_base64
from contract.spans import Span
from orchestrator.certificates.document import Silence
from orchestrator.certificates.office import Certificates
from orchestrator.certificates.overview import Covered
from orchestrator.certificates.printing import compiled, share
from orchestrator.certificates.reading import Site
from orchestrator.certificates.records import Kept
from orchestrator.certificates.verifying import NotGenuine, Unreadable, check, parse
from orchestrator.certificates.words import cause, reason
from orchestrator.commands.terminal import DEFAULT_CONFIG, ConfigPath, opened, refusals
from orchestrator.config import Config, ConfigError, load
from orchestrator.coverage import Coverage
from orchestrator.events import Events
from orchestrator.exams import Lead
from orchestrator.keyring import Keyring, KeysDamaged
from orchestrator.sessions import NoSuchSession, Sessions, SessionView
from orchestrator.store import Store

_US = 1_000_000
_PAGE = 500
_GENUINE, _CHANGED, _UNREADABLE, _UNPROVED = 0, 1, 2, 3

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class _ShowsByDefault(TyperGroup):
    """`xunkao coverage SESSION` shows it; what is no command of ours names a session."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `show` before anything that is no command."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ShowsByDefault,
    help="Proof of what was recorded, and that nothing else was: [SESSION], verify, silence, key.",
)


@app.command("show")
def show(
    session: Annotated[str, typer.Argument(help="A session's id; none: list all.")] = "",
    as_json: Json = False,
    pdf: Annotated[Path | None, typer.Option(help="Print its certificate into this file.")] = None,
    lang: Annotated[Literal["zh", "en"], typer.Option(help="The paper's language.")] = "zh",
    edition: Annotated[int | None, typer.Option(min=1, help="Which; else the newest.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Show a session's certificate, or all sessions with their percentages and states."""
    if not session:
        _list(config, as_json)
        return

    async def work() -> tuple[SessionView, Kept | None, list[Any]]:
        async with opened(config) as (settings, store):
            office, lead = _office(settings, store)
            view = await Sessions(store, SystemClock(), lead).get(session)
            now = SystemClock().now()
            found = await Coverage(store).of_room(view.session.room, view.window, now)
            return view, await office.get(session, edition), list(found)

    with refusals(KeysDamaged, NoSuchSession):
        view, kept, found = asyncio.run(work())
    if pdf is not None:
        _print(kept, pdf, lang)
    if as_json:
        typer.echo(msgspec.json.encode(_shown(view, kept, found)))
    elif pdf is None:
        _tell(view, kept, found)


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="A certificate, as --json or the page gives it.")],
    key: Annotated[
        str, typer.Option(help="The centre's key: base64, or a file with it (xunkao coverage key).")
    ] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Check every signature in it, offline.

    Exit 0 genuine, 1 changed, 2 unreadable, 3 whole, but there is no key to prove whose it is.
    """
    try:
        trusted = _trusted(key, config)
        found = check(parse(file.read_bytes()), trusted)
    except (Unreadable, OSError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(_UNREADABLE) from error
    except (NotGenuine, BadSignature) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(_CHANGED) from error
    content = found.certificate.content
    typer.echo(
        f"session {content.session.id}, edition {found.certificate.edition}, {content.verdict}, "
        f"ledger {found.certificate.ledger.id} {found.certificate.ledger.hash}"
    )
    if not found.is_trusted:
        typer.echo(f"whole, but its origin is unproved: give the centre's key ({found.kid})")
        raise typer.Exit(_UNPROVED)
    typer.echo(f"genuine: signed by the centre ({found.kid}) and its boxes")


@app.command("silence")
def silence(
    start: Annotated[datetime, typer.Option("--from", help="Begin, local or with an offset.")],
    end: Annotated[datetime, typer.Option("--to", help="End.")],
    room: Annotated[str, typer.Option(help="One room alone.")] = "",
    as_json: Json = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Say whether anything was recorded outside windows; exit 1 when it is not proved."""

    async def work() -> Silence:
        async with opened(config) as (settings, store):
            zone = ZoneInfo(settings.timezone)
            span = Span(_aware(start, zone), _aware(end, zone))
            return await _office(settings, store)[0].silence(span, room or None)

    with refusals(KeysDamaged, ValueError):
        found = asyncio.run(work())
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        _tell_silence(found)
    if not found.silent:
        raise typer.Exit(1)


@app.command("key")
def key(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Print the key that certificates are signed with, for whoever checks them elsewhere."""
    with refusals(KeysDamaged):
        ring = Keyring.open(load(config).keys, SystemClock().now(), may_set_up=False)
    typer.echo(to_base64(ring.attest.public))
    typer.echo(f"SHA-256 {fingerprint(ring.attest.public)}", err=True)


def _list(config: Path, as_json: bool) -> None:
    async def work() -> list[Covered]:
        async with opened(config) as (settings, store):
            overview, after, rows = _office(settings, store)[0].overview, None, []
            while page := await overview.list(after=after, limit=_PAGE):
                rows += page
                after = page[-1].view.session.id
            return rows

    with refusals(KeysDamaged):
        rows = asyncio.run(work())
    if as_json:
        typer.echo(msgspec.json.encode([_line(row) for row in rows]))
        return
    for row in rows:
        figures = row.figures
        percent = share(figures.kept_us, figures.planned_us) if figures else "—"
        session = row.view.session
        typer.echo(
            f"{session.id}  {session.start:%Y-%m-%d %H:%MZ}  {row.view.room_name}  "
            f"{row.view.state}  {percent}"
        )


def _line(row: Covered) -> dict[str, Any]:
    session, figures = row.view.session, row.figures
    return {
        "session": session.id,
        "room": session.room,
        "start": session.start,
        "end": session.end,
        "state": row.view.state,
        "edition": figures.edition if figures else None,
        "planned_seconds": figures.planned_us / _US if figures else None,
        "recorded_seconds": figures.kept_us / _US if figures else None,
        "percent": None if row.share is None else row.share * 100,
    }


def _shown(view: SessionView, kept: Kept | None, found: list[Any]) -> dict[str, Any]:
    return {
        "session": view.session.id,
        "room": view.session.room,
        "state": view.state,
        "window_start": view.window.start,
        "window_end": view.window.end,
        "cameras": [
            {
                "camera": camera.camera,
                "planned_seconds": camera.planned_s,
                "recorded_seconds": camera.recorded_s,
                "missing": [
                    {
                        "start": part.span.start,
                        "end": part.span.end,
                        "seconds": part.span.seconds,
                        "cause": part.cause,
                    }
                    for part in camera.missing
                ],
                "growing_since": camera.growing_since,
            }
            for camera in found
        ],
        "certificate": kept.certificate if kept else None,
        "proof": kept.document if kept else None,
    }


def _tell(view: SessionView, kept: Kept | None, found: list[Any]) -> None:
    typer.echo(f"{view.session.id}  {view.room_name}  {view.state}")
    if kept is not None:
        certificate = kept.certificate
        typer.echo(f"certificate edition {kept.edition} of {kept.issued_at:%Y-%m-%d %H:%M:%SZ}")
        for one in certificate.content.reasons:
            typer.echo(f"  {one.camera} {reason(one.code, 'en')}".rstrip())
    for camera in found:
        typer.echo(f"{camera.camera}  {camera.recorded_s:.1f} of {camera.planned_s:.1f} s recorded")
        for part in camera.missing:
            typer.echo(
                f"  {part.span.start:%H:%M:%S}–{part.span.end:%H:%M:%SZ} "
                f"{part.span.seconds:.1f} s  {cause(part.cause, 'en')}"
            )
        if camera.growing_since is not None:
            typer.echo(f"  since {camera.growing_since:%H:%M:%SZ} being recorded, not sealed yet")


def _tell_silence(found: Silence) -> None:
    typer.echo(f"{found.start:%Y-%m-%d %H:%M:%SZ} – {found.end:%Y-%m-%d %H:%M:%SZ}")
    typer.echo(
        f"{found.cameras} cameras, {found.segments} segments, {found.contacts} contacts looked at"
    )
    if found.silent:
        typer.echo("nothing was recorded outside windows, and no camera was asked for pictures")
    for title, rows in (("outside", found.exceptions), ("clock not trusted", found.untrusted)):
        for one in rows:
            typer.echo(f"{title}: {one.kind} {one.camera}/{one.stream} {one.start} – {one.end}")
    for gap in found.unproved:
        typer.echo(f"not proved: {gap.edge} {gap.start} – {gap.end} ({gap.why})")


def _print(kept: Kept | None, file: Path, lang: Literal["zh", "en"]) -> None:
    if kept is None:
        typer.echo("xunkao: the session has no certificate yet", err=True)
        raise typer.Exit(1)
    with refusals():
        file.write_bytes(compiled(kept.document, lang))


def _office(settings: Config, store: Store) -> tuple[Certificates, Lead]:
    clock = SystemClock()
    ring = Keyring.open(settings.keys, clock.now(), may_set_up=False)
    lead = Lead.of(settings.lead_in_minutes, settings.lead_out_minutes)
    site = Site(settings.site_name, settings.timezone, lead)
    return Certificates(store, ring.attest, Events(clock), clock, site), lead


def _trusted(key: str, config: Path) -> dict[str, bytes]:
    """Give the key that was named, else the one of the centre this machine is."""
    if key:
        text = Path(key).read_text() if Path(key).is_file() else key
        public = from_base64(text.strip())
        return {kid_of(public): public}
    with suppress(ConfigError, KeysDamaged, OSError):
        ring = Keyring.open(load(config).keys, SystemClock().now(), may_set_up=False)
        return {ring.attest.kid: ring.attest.public}
    return {}


def _aware(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)
