"""A real browser for tests of pages: headless Chromium, told what to do over the pipe of its DevTools protocol.

The pipe needs no driver program and no WebSocket library: messages are JSON that ends in a zero byte, to the browser's file 3 and
from its file 4 (https://chromedevtools.github.io/devtools-protocol/).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60.0  # seconds for one answer: a guard against hanging, not a bar

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)


def find_browser() -> str | None:
    """The program, where there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab.

    Attributes:
        faults: What its console and its policy complained of: errors, warnings and exceptions, in words.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.faults: list[str] = []
        self._write, self._read = to_browser, from_browser
        self._number, self._rest, self._session = 0, b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Asks for something and waits for the answer.

        Raises:
            RuntimeError: If the browser refuses.
            TimeoutError: If it does not answer.
        """
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._next(method)
            if heard.get("id") == self._number:
                if "error" in heard:
                    raise RuntimeError(f"{method}: {heard['error']}")
                return dict(heard["result"])
            self._note(heard)

    def _next(self, method: str) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._read], [], [], PATIENCE)[0]:
                raise TimeoutError(f"The browser does not answer {method}.")
            self._rest += os.read(self._read, 1 << 20)
        message, self._rest = self._rest.split(b"\0", 1)
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.faults.append(details.get("exception", {}).get("description", details["text"]))
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.faults.append(parameters["entry"]["text"])
        elif event.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.faults.append(str(parameters["args"]))
        elif event.get("method") == "Network.requestWillBeSent":
            address = parameters["request"]["url"]
            if not address.startswith(("file:", "data:", "blob:")):
                self.faults.append(f"asked the network for {address}")

    def run(self, expression: str) -> Any:
        """The value of an expression in the page; promises are waited for.

        Raises:
            RuntimeError: If it throws.
        """
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def look(self, width: int, height: int = 1000, *, dark: bool = False) -> None:
        """Sets the window, and whether the reader likes it dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)

    def open(self, page: Path) -> None:
        """Opens a page of ours and waits until its scripts are done."""
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.until("document.documentElement?.hasAttribute('data-ready')")

    def until(self, expression: str) -> None:
        """Waits until an expression is true.

        Raises:
            TimeoutError: If it does not come to that.
        """
        end = time.monotonic() + PATIENCE
        while not self.run(f"Boolean({expression})"):
            if time.monotonic() > end:
                raise TimeoutError(f"It did not come to that: {expression}. Faults: {self.faults}")
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """A key, pressed wherever the focus is."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)


@contextlib.contextmanager
def browsing(program: str, profile: Path) -> Iterator[Browser]:
    """Starts the browser with an empty profile, and ends it."""
    browser_reads, we_write = os.pipe()
    we_read, browser_writes = os.pipe()

    def as_3_and_4() -> None:
        first, second = os.dup(browser_reads), os.dup(browser_writes)
        os.dup2(first, 3)
        os.dup2(second, 4)

    process = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=as_3_and_4,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(browser_reads)
    os.close(browser_writes)
    try:
        yield Browser(we_write, we_read)
    finally:
        os.close(we_write)
        os.close(we_read)
        process.terminate()
        process.wait(timeout=PATIENCE)
