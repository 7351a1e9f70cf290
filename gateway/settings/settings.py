"""Settings: ``gateway.toml``, named by ``--config`` or JUSTICE_GATEWAY_CONFIG.

Each setting can come from the environment too:
``databases.population.url`` in the file is JUSTICE_GATEWAY_DATABASES__POPULATION__URL in the
environment. Unknown names are refused, so that a misspelt setting never passes unnoticed.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.procedures.procedure import national
from gateway.settings.access import Access, Cors, InterestTerms, Keys, Purpose
from gateway.settings.changes import ChangeSettings
from gateway.settings.databases import DatabaseSettings, NumberSettings, RenderingSettings
from gateway.settings.limits import Client, ConnectionLimits, Limits, RateLimits
from gateway.settings.part import SettingsPart
from gateway.settings.procedures import ProcedureSettings
from gateway.settings.sign_in import SignIn
from gateway.settings.storage import (
    Audit,
    CacheSettings,
    InterestSettings,
    OperationSettings,
    ReceiptSettings,
    Redis,
    TicketSettings,
)
from gateway.settings.streams import StreamSettings

#: The prefix of the variables of the environment that are settings.
PREFIX = "JUSTICE_GATEWAY_"
CONFIG_VARIABLE = "JUSTICE_GATEWAY_CONFIG"
#: The password of the user who loads databases, for ``justice-gateway generate``.
LOADER_VARIABLE = "JUSTICE_GATEWAY_LOADER_PASSWORD"


class Settings(BaseSettings):
    """All settings. Paths are relative to the settings file's folder."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # a key under a misspelt name would stand in the message
    )

    demo: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_schema: bool = True
    public_metrics: bool = False
    documentation: str = Field(default="docs/errors/{code}.md", pattern=r"\{code\}")
    cors: Cors = Cors()
    request_log: bool = True
    limits: Limits = Limits()
    connections: ConnectionLimits = ConnectionLimits()
    access: Access = Access()
    sign_in: SignIn = SignIn()
    audit: Audit = Audit()
    keys: Keys = Keys()
    numbers: NumberSettings = NumberSettings()
    rendering: RenderingSettings = RenderingSettings()
    purposes: dict[str, Purpose] = {}
    procedures: ProcedureSettings = ProcedureSettings()
    rates: RateLimits = RateLimits()
    clients: dict[str, Client] = {}
    redis: Redis = Redis()
    cache: CacheSettings = CacheSettings()
    operations: OperationSettings = OperationSettings()
    receipts: ReceiptSettings = ReceiptSettings()
    tickets: TicketSettings = TicketSettings()
    changes: ChangeSettings = ChangeSettings()
    interests: InterestSettings = InterestSettings()
    subscriptions: StreamSettings = StreamSettings()
    maintenance: Path = Path("maintenance/windows.jsonl")
    tables: Path = Path("cache/tables.jsonl")
    statistics: Path = Path("statistics")
    databases: dict[str, DatabaseSettings] = {}
    folder: Path = Path()

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_variables(cls, values: object) -> object:
        """Refuse a misspelt variable of the environment, which would have no effect."""
        for name in settings_variables():
            setting = name.upper().removeprefix(PREFIX).partition("__")[0].lower()
            if setting not in cls.model_fields:
                raise ValueError(f"{name} is no setting")
        return values

    @model_validator(mode="after")
    def _issuer_to_sign_in(self) -> Settings:
        name = self.sign_in.issuer
        if name is not None and name not in self.access.issuers:
            raise ValueError(f"sign_in.issuer: there is no access.issuers.{name}")
        return self

    def client_secret(self) -> str | None:
        """Return the secret with which people are signed in, None without; raises OSError."""
        value, file = self.sign_in.client_secret, self.sign_in.client_secret_file
        if value is not None:
            return value.get_secret_value()
        return None if file is None else self.path(file).read_text("utf-8").strip()

    def deprecations(self) -> list[str]:
        """Return a sentence for each setting that is given by its former name."""
        return [
            f"{group}.{name} is deprecated: it is called {group}.{part.RENAMED[name]} now"
            for group, part in self
            if isinstance(part, SettingsPart)
            for name in part.former_names
        ]

    def deferral(self, purpose: str | None) -> timedelta | None:
        """Return how long reads for ``purpose`` stay out of access logs; None: no delay."""
        handling = self._handling(purpose)
        if handling is None or not handling.deferred_days:
            return None
        return timedelta(days=handling.deferred_days)

    def interest_terms(self, purpose: str | None) -> InterestTerms:
        """Return which interests may be registered under ``purpose``; by default, none."""
        handling = self._handling(purpose)
        return InterestTerms() if handling is None else handling.interests

    def _handling(self, purpose: str | None) -> Purpose | None:
        """Return how reads for ``purpose`` are handled, by its code or the national one."""
        return self.purposes.get(purpose or "") or self.purposes.get(national(purpose or ""))

    def redis_with_password(self) -> Redis:
        """Return the settings of Redis with the password of its file; raises OSError."""
        file = self.redis.password_file
        if self.redis.url is None or file is None:
            return self.redis
        return self.redis.with_password(self.path(file).read_text("utf-8").rstrip("\r\n"))

    def path(self, relative: Path) -> Path:
        """Return ``relative`` as a path from the settings file's folder."""
        return relative if relative.is_absolute() else self.folder / relative

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments first, then the environment, then the file.

        The environment is left out where nothing of it is a setting: each setting is looked for
        among all variables, which is most of the time of loading.
        """
        environment = (env_settings,) if settings_variables() else ()
        return (init_settings, *environment, TomlConfigSettingsSource(settings_cls))


def file_of(config: Path | None) -> Path | None:
    """Return the settings file: ``config``, else what JUSTICE_GATEWAY_CONFIG names, else None."""
    named = os.environ.get(CONFIG_VARIABLE)
    return config or (Path(named) if named else None)


def settings_variables() -> list[str]:
    """Return the variables of the environment that are settings."""
    no_settings = {CONFIG_VARIABLE, LOADER_VARIABLE}
    return [
        name
        for name in os.environ
        if name.upper().startswith(PREFIX) and name.upper() not in no_settings
    ]


def load(config: Path | None = None, **arguments: Any) -> Settings:
    """Read the settings.

    ``config`` wins over JUSTICE_GATEWAY_CONFIG; without both, only defaults and the environment
    count. Raises pydantic's ValidationError for values, FileNotFoundError for a missing file.
    """
    named = file_of(config)
    if named is None:
        return Settings(**arguments)
    if not named.is_file():
        raise FileNotFoundError(f"settings file {named} does not exist")
    arguments.setdefault("folder", named.resolve().parent)

    class _Configured(Settings):
        model_config = SettingsConfigDict(toml_file=named)

    return _Configured(**arguments)
