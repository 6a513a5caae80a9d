"""The state of the service in a database of PostgreSQL, which the services of several hosts share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from ..databases.postgres import Tables, only_added_to, tables
from ..databases.sql import Connection
from .sql_state import SCHEMA, SQLServiceState
from .state_db import empty_state


@dataclass(frozen=True, slots=True)
class PostgresServiceState(SQLServiceState):
    """The state in the database at `url`."""

    url: str

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        with self._changing():
            pass
        yield

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with state_tables(self.url).reading() as db:
            if db is not None:
                yield db
                return
        with empty_state() as empty:
            yield empty

    def _changing(self) -> AbstractContextManager[Connection]:
        return state_tables(self.url).changing()


def state_tables(url: str) -> Tables:
    """The tables of the state in the database at `url`. Their lock is that of the service which leads."""
    return Tables(url, "state of the service", 5, 1, (*tables(SCHEMA), *only_added_to("audit", "UPDATE", "DELETE")))
