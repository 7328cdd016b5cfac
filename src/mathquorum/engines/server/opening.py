"""From settings to an engine, and what a stage's folder keeps of the server: server.json (what it can do) and requests.jsonl."""

from __future__ import annotations

from pathlib import Path

from mathquorum.engines.server.abilities import Abilities
from mathquorum.engines.server.asking import Asker
from mathquorum.engines.server.engine import ServerEngine, Way
from mathquorum.engines.server.spending import Account
from mathquorum.engines.server.transport import Transport, read_key
from mathquorum.engines.settings import ModelUse
from mathquorum.store import from_row, read_json, to_row, write_json

__all__ = ["known_abilities", "open_server"]

FILE = "server.json"


def open_server(url: str, key_variable: str | None, way: Way, use: ModelUse) -> ServerEngine:
    """The engine for the server at an address.

    Raises:
        SettingsError: If the variable that should hold the key is not set.
    """
    asked, folder = way.asked, use.folder
    transport = Transport(url, read_key(key_variable), asked.timeout, asked.concurrency)
    asker = Asker(transport, Account(folder), asked.concurrency, asked.attempts, asked.first_pause)

    def keep(found: Abilities) -> None:
        if folder:
            write_json(folder / FILE, {"url": url, "asked_for": way.model, "abilities": to_row(found)})

    return ServerEngine(asker, way, known_abilities(folder, url, way.model), keep)


def known_abilities(folder: Path | None, url: str | None = None, model: str | None = None) -> Abilities | None:
    """What was found out for a stage; None where nothing was, or of another server.

    Args:
        folder: The stage's.
        url: Of the server; None for whichever it was.
        model: Likewise, the name that it was asked for.
    """
    file = folder / FILE if folder else None
    if file is None or not file.exists():
        return None
    held = read_json(file)
    wanted = {"url": url or held["url"], "asked_for": model or held["asked_for"]}
    return from_row(Abilities, held["abilities"], str(file)) if wanted.items() <= held.items() else None
