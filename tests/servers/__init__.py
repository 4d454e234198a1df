"""Local servers that keep the rules of the services, to test against and to try the cloud path with no account."""

from __future__ import annotations

import threading
from socketserver import BaseServer
from typing import Any, ClassVar, Self


class LocalServer:
    """Listen on a loopback port, from a thread; use as a context manager.

    `stop` and `start` keep what is held and the port: between them connections are refused. `fail` queues faults, which
    the servers of each service meet in their own way.
    """

    fault_type: ClassVar[type]

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._faults: list[Any] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._http: BaseServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._released.clear()
        self._http = self._listen(self._port)
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.release()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def fail(self, kind: str = "status", **how: Any) -> None:
        """Queue a fault; see the service's Fault for what it can be."""
        with self._lock:
            self._faults.append(self.fault_type(kind=kind, **how))

    def heal(self) -> None:
        """Forget the faults that were not used up."""
        with self._lock:
            self._faults.clear()

    def release(self) -> None:
        """Let go of the requests that hang; their connections are closed."""
        self._released.set()

    def wait_released(self) -> None:
        self._released.wait()

    def _listen(self, port: int) -> BaseServer:
        """Return a server bound to this port of 127.0.0.1; 0 is any that is free."""
        raise NotImplementedError
