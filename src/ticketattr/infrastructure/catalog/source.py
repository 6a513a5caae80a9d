"""The service catalog from a URL or a file, as YAML or as the stage file of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from ...domain.catalog import ServiceCatalog
from ..locations import is_remote, read_location
from ..network.http import HTTPRequest, HTTPService, shown_url
from ..options import HTTPPolicy
from ..stage_files.catalog_and_tickets import parse_catalog_file
from ..stage_files.header import kind_of_content
from .yaml_format import parse_catalog


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server needs to tell whether a copy is current (RFC 9110, 8.8); empty if the server gave none."""

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Validators:
        """The validators in the headers of a response; those that no request can send back are left out."""
        return cls(_sendable(headers.get("ETag", "")), _sendable(headers.get("Last-Modified", "")))

    @property
    def headers(self) -> dict[str, str]:
        """The headers that ask for the content only if it has changed."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True)
class CatalogResponse:
    """The YAML and its validators. `is_unchanged`: the copy of the caller is current, and `content` is empty."""

    content: bytes
    validators: Validators
    is_unchanged: bool = False


@dataclass(frozen=True, slots=True)
class YAMLCatalog:
    """The catalog at `location`, which is a URL, a `file:` URL or a path; `setting` is the setting that holds it."""

    location: str
    http: HTTPPolicy
    setting: str = "SERVICE_CATALOG_URL"

    def fetch_catalog(self) -> ServiceCatalog:
        return self.parse(self.request().content)

    def request(self, known: Validators = NO_VALIDATORS) -> CatalogResponse:
        """The YAML, unless `known` says that the caller has it. Raises SettingsError, InputError or ServiceError."""
        service = HTTPService("the service catalog", self.location, url_setting=self.setting, max_redirects=3)
        response = read_location(service, self.http, HTTPRequest(headers=known.headers))
        if response.status == HTTPStatus.NOT_MODIFIED:
            return CatalogResponse(b"", known, is_unchanged=True)
        return CatalogResponse(response.content, Validators.of(response.headers))

    def parse(self, content: bytes) -> ServiceCatalog:
        """The catalog in `content`, YAML or a stage file, which came from this location. Raises InputError."""
        if kind_of_content(content):
            return parse_catalog_file(content, Path(self.name)).data
        return parse_catalog(content, self.name, hint=f"Correct the catalog at {self.setting}.")

    @property
    def name(self) -> str:
        """The location without secrets, for messages."""
        return shown_url(self.location) if is_remote(self.location) else self.location


def _sendable(value: str) -> str:
    return value if value.isascii() and value.isprintable() else ""
