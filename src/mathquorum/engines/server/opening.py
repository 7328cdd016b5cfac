"""From settings to an engine, and what a stage's folder keeps of the server: server.json (what it can do), answered_by.jsonl and
requests.jsonl."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from mathquorum.engines.server.abilities import Abilities
from mathquorum.engines.server.answerers import Answerers, gather_answered
from mathquorum.engines.server.asking import Asker
from mathquorum.engines.server.engine import ServerEngine, Way
from mathquorum.engines.server.spending import FILE as REQUESTS
from mathquorum.engines.server.spending import Account, read_sent
from mathquorum.engines.server.transport import Transport
from mathquorum.engines.settings import ModelUse
from mathquorum.store import from_row, read_json, to_row, write_json, write_records

__all__ = ["gather_kept", "known_abilities", "open_server"]

FILE = "server.json"


def open_server(url: str, key: str | None, where: str, way: Way, use: ModelUse) -> ServerEngine:
    """The engine for the server at an address.

    Args:
        url: The address.
        key: Sent with each request; None for none.
        where: What the server is known by, should its address change.
        way: How it is asked.
        use: By which stage.
    """
    asked, folder = way.asked, use.folder
    transport = Transport(url, key, asked.timeout, asked.concurrency)
    account, answerers = Account(folder), Answerers(folder, where)
    asker = Asker(transport, account, answerers, asked.concurrency, asked.attempts, asked.first_pause)

    def keep(found: Abilities) -> None:
        if folder:
            write_json(folder / FILE, {"server": where, "abilities": to_row(found)})

    return ServerEngine(asker, way, known_abilities(folder, where), keep)


def known_abilities(folder: Path | None, where: str | None = None) -> Abilities | None:
    """What was found out for a stage; None where nothing was, or of another server.

    Args:
        folder: The stage's.
        where: What the server is known by; None for whichever it was.
    """
    file = folder / FILE if folder else None
    if file is None or not file.exists():
        return None
    held = read_json(file)
    if where not in (None, held["server"]):
        return None
    return from_row(Abilities, held["abilities"], str(file))


def gather_kept(shards: Sequence[Path], out: Path) -> None:
    """Puts all requests of shards into one account, and tells of one of their servers, where the shards are the same stage's."""
    if (out / REQUESTS).exists():
        return  # gathered before, and perhaps added to since
    gather_answered(shards, out)
    write_records(out / REQUESTS, chain.from_iterable(read_sent(shard) for shard in shards))
    known = next((shard / FILE for shard in shards if (shard / FILE).exists()), None)
    if known:
        write_json(out / FILE, read_json(known))
