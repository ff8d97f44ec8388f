"""A served warehouse in a thread of the test process, on a store of its own."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import clickhouse_connect
import urllib3
from clickhouse_connect.driver.client import Client

from streams.edges.migrate import migrate
from streams.edges.warehouse import connect
from streams.serving.access import Limits, Users, user
from streams.serving.engine import Store
from streams.serving.server import Server

PASSWORD = "written-by-tests"  # noqa: S105 - of a store that lives for one test


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> int:
        """ClickHouse's code of an error; 0 for an answer."""
        return int(self.headers.get("X-ClickHouse-Exception-Code", 0))


@dataclass(frozen=True)
class Served:
    port: int
    store: Store
    server: Server
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def reader_dsn(self) -> str:
        return f"clickhouse://default@127.0.0.1:{self.port}/{self.store.database}"

    @property
    def writer_dsn(self) -> str:
        return f"clickhouse://writer:{PASSWORD}@127.0.0.1:{self.port}/{self.store.database}"

    def ask(
        self,
        sql: str | bytes = b"",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        writes: bool = False,
    ) -> Reply:
        """One request as it goes over the wire: the body is not decompressed."""
        who = {"user": "writer", "password": PASSWORD} if writes else {}
        with urllib3.PoolManager() as pool:
            got = pool.request(
                method,
                f"{self.url}?{urlencode({**who, **(query or {})})}",
                body=sql or None,
                headers=dict(headers or {}),
                decode_content=False,
                retries=False,
                timeout=60,
            )
            return Reply(got.status, got.headers, got.data)

    def client(self, writes: bool = False, **options: Any) -> Client:
        who: dict[str, Any] = {"username": "writer", "password": PASSWORD} if writes else {}
        return clickhouse_connect.get_client(
            host="127.0.0.1",
            port=self.port,
            database=self.store.database,
            autogenerate_session_id=False,
            **who,
            **options,
        )


@contextmanager
def serve(
    folder: Path, limits: Limits | None = None, reader_password: str = "", port: int = 0
) -> Iterator[Served]:
    """A server on a migrated store in `folder`; ended with its store at the end."""
    dsn = f"chdb://{folder / 'store'}?database=marginquake"
    with connect(dsn, create=True) as client:
        migrate(client)
    store = Store(dsn)
    users = Users(user("default", reader_password), user("writer", PASSWORD, writes=True))
    server = Server(store, users, limits or Limits())
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        await server.start("127.0.0.1", port)
        started.set()
        await stop.wait()
        await server.stop(1.0)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert started.wait(60)
        yield Served(server.port, store, server, folder)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()
        store.close()
        assert not thread.is_alive()
