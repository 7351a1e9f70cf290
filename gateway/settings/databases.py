"""Databases: how each is reached, what of it is there, and how old its rows may be."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import (
    AwareDatetime,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from connectors.backends.record_maps import RecordMap
from connectors.backends.server import Tls
from connectors.description import Group
from connectors.xroad.identifiers import identifier
from gateway.settings.changes import FollowSettings
from gateway.settings.freshness import Freshness
from gateway.settings.part import SettingsPart
from gateway.settings.urls import is_safe_url

#: Seconds that rows may be old; None: as in the settings of the database.
_Age = Field(default=None, ge=0, le=86_400)
_AGES = frozenset({"fresh", "stale_while_revalidate", "stale_if_error"})
#: Settings of a record that do not concern how it is stored.
_BESIDE_MAP = _AGES | {"unnumbered"}


class RecordSettings(SettingsPart):
    """The mapping of one record to a table of other names; see ``connectors.backends.record_maps``.

    ``fresh``, ``stale_while_revalidate`` and ``stale_if_error``: how old its rows may be, in place
    of the settings of the database. ``unnumbered``: whether some records lack the number of the
    person.
    """

    table: str | None = None
    columns: dict[str, str] = Field(default={})
    values: dict[str, dict[str, str]] = Field(default={})
    constants: dict[str, str] = Field(default={})
    missing: tuple[str, ...] = ()
    dates: dict[str, tuple[str, ...]] = Field(default={})
    join: dict[str, tuple[str, ...]] = Field(default={})
    normalised: bool = False
    mapped: bool = True
    fresh: float | None = _Age
    stale_while_revalidate: float | None = _Age
    stale_if_error: float | None = _Age
    unnumbered: bool | None = None

    def as_map(self) -> RecordMap:
        """Return the mapping for a backend."""
        return RecordMap(**{name: value for name, value in self if name not in _BESIDE_MAP})


class MaintenanceWindow(SettingsPart):
    """Maintenance of a database: moments with a zone. ``ends`` None: open-ended."""

    begins: AwareDatetime
    ends: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> MaintenanceWindow:
        if self.ends is not None and self.ends <= self.begins:
            raise ValueError("maintenance must end after it begins")
        return self


class Agreement(SettingsPart):
    """The agreement under which the database of another body is read: legal basis and last day.

    ``warn_days``: days before the last one from which the gateway logs a warning, once a day.
    """

    legal_basis: str = Field(min_length=1)
    expires: date
    warn_days: int = Field(default=42, ge=0)


class Xroad(SettingsPart):
    """The connection to a database over X-Road; see ``connectors.xroad``.

    ``server``: the gateway's own security server. ``client``: instance/class/member[/subsystem].
    ``service``: instance/class/member/subsystem/service. ``shared``: the agreement permits serving
    an answer to one caller to another caller too.
    """

    server: str
    client: str
    service: str
    security_server: str | None = None
    shared: bool = False
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    agreement: Agreement

    @field_validator("server")
    @classmethod
    def _safe(cls, url: str) -> str:
        if not is_safe_url(url):
            raise ValueError("it must be an https URL (http only to this machine itself)")
        return url

    @field_validator("client", "service", "security_server")
    @classmethod
    def _identified(cls, text: str | None, info: ValidationInfo) -> str | None:
        lengths = {"client": (3, 4), "service": (5,), "security_server": (4,)}
        if text is not None:
            identifier(text, lengths[str(info.field_name)])
        return text


class DatabaseSettings(SettingsPart):
    """Settings of one database. Times in seconds.

    Without ``url`` and ``xroad`` it is in the catalogue but is not read. ``password`` and
    ``password_file``: of a server; the first wins. ``tls`` None: verify, except on this machine
    itself. ``transaction_pooling``: a pooler (PgBouncer) assigns connections by transaction.
    ``zone``: the time zone of moments that are stored without one. ``records``: mappings to tables
    of other names. ``breaker_failures``: see ``gateway.fetch.breaker``. ``fresh``: how old rows
    from the cache may be; 0: they are not used. ``stale_while_revalidate``: how old, while they are
    read again in the background. ``stale_if_error``: how old, if the source fails. ``cache_lag``:
    by how much rows from the cache may lag behind the database whatever fails (except STALE rows),
    for databases whose changes are followed; None: their age alone counts. ``provinces`` and
    ``since``: narrow the declared coverage. ``contact``: whom to call when it does not answer.
    ``unnumbered``: whether some records lack the number of the person. ``changes``: how its changes
    are followed; None: they are not.
    """

    url: str | None = Field(default=None, repr=False)
    xroad: Xroad | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    tls: Tls | None = None
    tls_ca: Path | None = None
    connect_timeout: float = Field(default=2.0, gt=0)
    transaction_pooling: bool = False
    zone: str | None = None
    records: dict[str, RecordSettings] = Field(default={})
    group: Group | None = None
    timeout: float = Field(default=1.0, gt=0)
    calls_in_flight: int = Field(default=8, gt=0)
    breaker_failures: int = Field(default=5, ge=0, le=20)
    maintenance: bool = False
    maintenance_windows: tuple[MaintenanceWindow, ...] = ()
    fresh: float = Field(default=0.0, ge=0, le=86_400)
    stale_while_revalidate: float = Field(default=0.0, ge=0, le=86_400)
    stale_if_error: float = Field(default=0.0, ge=0, le=86_400)
    cache_lag: float | None = Field(default=None, gt=0, le=3_600)
    provinces: tuple[str, ...] | None = None
    since: date | None = None
    unnumbered: bool | None = None
    contact: str | None = Field(default=None, max_length=200)
    changes: FollowSettings | None = None

    @model_validator(mode="after")
    def _require_single_source(self) -> DatabaseSettings:
        if self.url is not None and self.xroad is not None:
            raise ValueError("it must have url or xroad, not both")
        return self

    @model_validator(mode="after")
    def _require_whole_changes(self) -> DatabaseSettings:
        """Refuse a bound where cached rows of deleted ones would be served all the same."""
        if self.cache_lag is not None:
            if self.changes is None:
                raise ValueError("cache_lag needs changes")
            if self.changes.source == "watermark":
                raise ValueError("cache_lag needs changes that tell of deletions, not a watermark")
        return self

    def freshness(self, record: str) -> Freshness:
        """Return how old rows of a record may be."""
        of_record = self.records.get(record, RecordSettings())
        ages = (
            getattr(self if getattr(of_record, name) is None else of_record, name)
            for name in ("fresh", "stale_while_revalidate", "stale_if_error")
        )
        return Freshness(*ages)

    def record_maps(self) -> dict[str, RecordMap]:
        """Return how the records that settings map are stored, by name."""
        return {name: record.as_map() for name, record in self.records.items()}

    @field_validator("group", mode="before")
    @classmethod
    def _group_by_name(cls, value: object) -> object:
        if isinstance(value, str):
            if value not in Group.__members__:
                raise ValueError(f"group must be one of {', '.join(Group.__members__)}")
            return Group[value]
        return value


class RenderingSettings(SettingsPart):
    """Whether databases that can (PostgreSQL) write the rows of a list as JSON.

    The answers are the same; it saves the gateway the work of reading and writing each value.
    ``keys``: people and things that requests must name together, since a few are read sooner as
    rows. ``uses``: how often an operation must have come before.
    """

    enabled: bool = True
    keys: int = Field(default=9, gt=0)
    uses: int = Field(default=8, ge=0)


class NumberSettings(SettingsPart):
    """How numbers are resolved to people.

    ``reference``: the database that has all people and all their numbers. With ``none`` the
    operator states that every number is the only and final one of its holder: nothing is looked up,
    and lists say "none" without it. A population database that is not connected never means that.
    """

    reference: Literal["population", "none"] = "population"

    @property
    def are_checked(self) -> bool:
        """Whether numbers are looked up in a database."""
        return self.reference != "none"
