"""The addresses of a server that speaks OpenAI's protocol, and how it wants the key.

A base URL is what the documentation of the server calls so, with or without a path; the whole address of the chat
completions is understood, too. Azure has two forms: the one of OpenAI under /openai/v1, and one address for each
deployment, with the version of the API in the query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from ...options import ChatModelOptions

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".openai.azure.us")
_AZURE_VERSION = "2024-10-21"
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}[\w-]{0,20}", re.ASCII)
"""The form of a version of Azure's API. Only Azure has such versions."""
_CHAT = "/chat/completions"
_DEPLOYMENTS = "/openai/deployments/"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is asked, and the headers with the key."""

    base: SplitResult = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    is_azure: bool = False
    api_version: str = ""

    def chat_url(self, model: str) -> str:
        """Returns the address of the chat completions of `model`."""
        path = self.base.path
        if self.api_version and _DEPLOYMENTS not in f"{path}/":
            path += f"{_DEPLOYMENTS.removeprefix('/openai')}{quote(model, safe='')}"
        return self._url(path + _CHAT)

    @property
    def models_url(self) -> str:
        """The address of the list of models."""
        return self._url(self.base.path.partition(_DEPLOYMENTS.removesuffix("/"))[0] + self._models_path)

    @property
    def _models_path(self) -> str:
        return "/openai/models" if _DEPLOYMENTS in f"{self.base.path}/" else "/models"

    @property
    def knows_completion_limit(self) -> bool:
        """Whether the limit of an answer is called `max_completion_tokens`, as new models of OpenAI want it."""
        return self.is_azure or self.base.hostname == "api.openai.com"

    def _url(self, path: str) -> str:
        query = self.base.query
        if self.api_version and "api-version=" not in query:
            query = "&".join(filter(None, [query, urlencode({"api-version": self.api_version})]))
        return urlunsplit((self.base.scheme, self.base.netloc, path, query, ""))


def endpoint_of(options: ChatModelOptions) -> Endpoint:
    """Returns the endpoint that the base URL, the key and the version of the API describe.

    Raises ValueError for what is not a URL.
    """
    base = urlsplit(options.base_url or DEFAULT_BASE_URL)
    if base.scheme not in ("http", "https") or not base.hostname:
        raise ValueError("not a URL of a server")
    path = base.path.rstrip("/").removesuffix(_CHAT)
    asked_version = options.api_version if _DATED.fullmatch(options.api_version) else ""
    on_azure = base.hostname.endswith(_AZURE_HOSTS)
    if on_azure and not path:
        path = "/openai" if asked_version else "/openai/v1"
    is_deployment = _DEPLOYMENTS in path
    is_azure = on_azure or is_deployment or bool(asked_version)
    if asked_version and not is_deployment and not path.endswith("/openai"):
        path = path.removesuffix("/v1").removesuffix("/openai") + "/openai"
    version = asked_version or (_AZURE_VERSION if is_deployment else "")
    return Endpoint(base._replace(path=path), _headers(options.api_key, is_azure=is_azure), is_azure, version)


def _headers(key: str, *, is_azure: bool) -> dict[str, str]:
    if not key:
        return {}
    return {"api-key": key} if is_azure else {"Authorization": f"Bearer {key}"}
