"""Settings: ``gateway.toml``, named by ``--config`` or JUSTICE_GATEWAY_CONFIG.

Each can be given by environment too:
``databases.population.url`` in the file is JUSTICE_GATEWAY_DATABASES__POPULATION__URL in the
environment. Unknown names are refused, so that a misspelt setting never passes unnoticed.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from connectors.backends.mapping import RecordMap
from connectors.backends.server import Tls
from connectors.description import Group
from connectors.xroad.identifiers import identifier
from gateway.procedures.procedure import national
from gateway.settings.freshness import Lives

#: How the variables of the environment begin that give a setting.
PREFIX = "JUSTICE_GATEWAY_"
CONFIG_VARIABLE = "JUSTICE_GATEWAY_CONFIG"
#: The password of who loads databases, for ``justice-gateway generate``.
LOADER_VARIABLE = "JUSTICE_GATEWAY_LOADER_PASSWORD"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Part):
    """What one request may ask for. Times in seconds.

    ``anonymous_body_bytes``: of a request without a token, in place of ``body_bytes``.
    """

    body_bytes: int = Field(default=256 * 1024, gt=0)
    anonymous_body_bytes: int = Field(default=16 * 1024, gt=0)
    document_characters: int = Field(default=16 * 1024, gt=0)
    tokens: int = Field(default=600, gt=0)
    operations: int = Field(default=10, gt=0)
    fragments: int = Field(default=30, ge=0)
    variables: int = Field(default=30, ge=0)
    depth: int = Field(default=12, gt=0)
    introspection_depth: int = Field(default=16, gt=0)
    aliases: int = Field(default=30, ge=0)
    directives: int = Field(default=30, ge=0)
    fields: int = Field(default=300, gt=0)
    repeated_fields: int = Field(default=8, gt=0)
    persons: int = Field(default=100, gt=0)
    persons_reached: int = Field(default=1_000, gt=0)
    deadline: float = Field(default=3.0, gt=0)
    documents: int = Field(default=1_000, gt=0)
    new_documents: int = Field(default=120, gt=0)
    cost: int = Field(default=200_000, gt=0)
    cost_enforced: bool = True

    def body_bytes_of(self, client: str | None) -> int:
        """Return how large a body ``client`` may send; None: whoever shows no token."""
        if client is not None:
            return self.body_bytes
        return min(self.body_bytes, self.anonymous_body_bytes)


class Connections(_Part):
    """How many connections there may be, and how long they wait for their clients.

    Times in seconds. ``header_bytes`` and ``headers``: of one request, its target aside, which has
    ``url_bytes``. ``unfinished_bodies``: requests whose body is on its way. ``grace``: how long a
    process that is told to stop goes on with what it has begun. ``proxies``: addresses or networks
    that speak for others: their ``X-Forwarded-For`` is believed, and ``per_address`` is not held
    against them.
    """

    header_bytes: int = Field(default=32 * 1024, ge=1024)
    headers: int = Field(default=100, gt=0)
    url_bytes: int = Field(default=16 * 1024, ge=256)
    header_timeout: float = Field(default=10.0, gt=0)
    body_timeout: float = Field(default=20.0, gt=0)
    idle_timeout: int = Field(default=20, gt=0)
    answer_timeout: float = Field(default=30.0, gt=0)
    per_address: int = Field(default=256, gt=0)
    total: int = Field(default=2_000, gt=0)
    unfinished_bodies: int = Field(default=128, gt=0)
    grace: int = Field(default=8, gt=0)
    proxies: tuple[str, ...] = ()

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_network(one)) for one in proxies)


#: Seconds that rows may be old; None: as the database's settings have it.
_Age = Field(default=None, ge=0, le=86_400)
_LIVES = frozenset({"fresh", "stale_while_revalidate", "stale_if_error"})
#: Settings of a record that say nothing of how it is kept.
_BESIDE_MAP = _LIVES | {"unnumbered"}


class RecordSettings(_Part):
    """How one record is kept in a table of other names; see ``connectors.backends.mapping``.

    ``fresh`` and the two after it: how old its rows may be, in place of what counts for the
    database. ``unnumbered``: whether there are records of it without a number of the person.
    """

    table: str | None = None
    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    constants: dict[str, str] = {}
    missing: tuple[str, ...] = ()
    dates: dict[str, tuple[str, ...]] = {}
    join: dict[str, tuple[str, ...]] = {}
    normalised: bool = False
    mapped: bool = True
    fresh: float | None = _Age
    stale_while_revalidate: float | None = _Age
    stale_if_error: float | None = _Age
    unnumbered: bool | None = None

    def as_map(self) -> RecordMap:
        """Return how it is kept, for a backend."""
        return RecordMap(**{name: one for name, one in self if name not in _BESIDE_MAP})


class MaintenanceWindow(_Part):
    """When a database is in maintenance: moments with a zone; ``ends`` None: without an end."""

    begins: AwareDatetime
    ends: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> MaintenanceWindow:
        if self.ends is not None and self.ends <= self.begins:
            raise ValueError("maintenance must end after it begins")
        return self


class Agreement(_Part):
    """On what ground, and until which day, a database of another body may be asked.

    ``warn_days``: so many days before the last one the gateway says so, every day.
    """

    legal_basis: str = Field(min_length=1)
    expires: date
    warn_days: int = Field(default=42, ge=0)


class Xroad(_Part):
    """How a database is reached over X-Road; see ``connectors.xroad``.

    ``server``: the gateway's own security server. ``client``: instance/class/member[/subsystem];
    ``service``: instance/class/member/subsystem/service. ``shared``: the agreement lets an answer
    to one caller be given to another.
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


class DatabaseSettings(_Part):
    """How one database is reached and what of it is here. Times in seconds.

    Without ``url`` and ``xroad`` it is in the catalogue but is not asked. ``password`` and
    ``password_file``: of a server; the first wins. ``tls``: None: verify, and off to this machine
    itself. ``transaction_pooling``: a pooler (PgBouncer) gives out connections by the transaction.
    ``zone``: the time zone of moments that are kept without one. ``records``: tables of other
    names. ``breaker_failures``: see ``gateway.fetch.breaker``. ``fresh``: how old
    rows from the cache may be, 0: they are not used; ``stale_while_revalidate``: how old while they
    are read anew for whoever comes next; ``stale_if_error``: how old in place of a source that
    fails. ``provinces`` and ``since`` narrow the declared coverage; ``unnumbered`` says whether
    there are records without a number of the person.
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
    records: dict[str, RecordSettings] = {}
    group: Group | None = None
    timeout: float = Field(default=1.0, gt=0)
    calls_in_flight: int = Field(default=8, gt=0)
    breaker_failures: int = Field(default=5, ge=0, le=20)
    maintenance: bool = False
    maintenance_windows: tuple[MaintenanceWindow, ...] = ()
    fresh: float = Field(default=0.0, ge=0, le=86_400)
    stale_while_revalidate: float = Field(default=0.0, ge=0, le=86_400)
    stale_if_error: float = Field(default=0.0, ge=0, le=86_400)
    provinces: tuple[str, ...] | None = None
    since: date | None = None
    unnumbered: bool | None = None

    @model_validator(mode="after")
    def _one_way(self) -> DatabaseSettings:
        if self.url is not None and self.xroad is not None:
            raise ValueError("it must have url or xroad, not both")
        return self

    def lives(self, record: str) -> Lives:
        """Return how old rows of a record may be."""
        own = self.records.get(record, RecordSettings())
        chosen = (
            getattr(self if getattr(own, name) is None else own, name)
            for name in ("fresh", "stale_while_revalidate", "stale_if_error")
        )
        return Lives(*chosen)

    @field_validator("group", mode="before")
    @classmethod
    def _group_by_name(cls, value: object) -> object:
        if isinstance(value, str):
            if value not in Group.__members__:
                raise ValueError(f"group must be one of {', '.join(Group.__members__)}")
            return Group[value]
        return value


def is_loopback(host: str | None) -> bool:
    """Whether ``host`` is this machine itself."""
    return host in {"127.0.0.1", "::1", "localhost"}


def is_safe_url(url: str) -> bool:
    """Whether keys may be fetched from ``url``: by https, or by http from this machine itself."""
    parsed = urlsplit(url)
    plain = parsed.scheme == "http" and is_loopback(parsed.hostname)
    named = bool(parsed.hostname) and "@" not in parsed.netloc and not parsed.fragment
    return named and (parsed.scheme == "https" or plain)


class ClaimNames(_Part):
    """The claims in which an issuer says what is asked; of several the first that is there."""

    client: tuple[str, ...] = ("client_id", "azp")
    scope: tuple[str, ...] = ("scope", "scp")
    agency: tuple[str, ...] = ("agency",)
    purposes: tuple[str, ...] = ("purposes",)
    token_id: tuple[str, ...] = ("jti",)
    act_for: tuple[str, ...] = ("act_for",)
    authorisation: tuple[str, ...] = ("authorisation",)


class TrustedIssuer(_Part):
    """An OpenID Connect issuer whose access tokens are accepted.

    ``jwks_url`` None: the keys are where the issuer's own description says. ``scopes`` and
    ``purposes``: what its tokens can grant at most, whatever they say; None: anything.
    """

    issuer: str
    audience: str = Field(min_length=1)
    jwks_url: str | None = None
    scopes: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    claims: ClaimNames = ClaimNames()

    @field_validator("issuer", "jwks_url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        if url is not None and not is_safe_url(url):
            raise ValueError("it must be an https URL (http only from this machine itself)")
        return url


class Access(_Part):
    """Tokens of the gateway's own key, and of issuers that it trusts. Times in seconds.

    ``keep_keys``: how long the keys of an issuer that publishes none any more go on being used.
    """

    issuer: str = "justice-gateway"
    audience: str = "justice-gateway"
    leeway: int = Field(default=5, ge=0, le=60)
    issuers: dict[str, TrustedIssuer] = {}
    refresh: float = Field(default=300.0, gt=0)
    cool_down: float = Field(default=30.0, ge=0)
    keep_keys: float = Field(default=900.0, ge=0)
    timeout: float = Field(default=2.0, gt=0)
    revocations: Path = Path("revoked/tokens.jsonl")

    @model_validator(mode="after")
    def _each_once(self) -> Access:
        names = [self.issuer, *(one.issuer for one in self.issuers.values())]
        if len(names) != len(set(names)):
            raise ValueError("an issuer must not be named twice")
        return self


class Audit(_Part):
    """The journal of answers, in segments in ``folder``, and the copy of it that is asked.

    ``checkpoint_entries``, ``checkpoint_seconds``: when entries are signed at the latest.
    ``checkpoint_folder``: where checkpoints are kept besides. ``timeout``: seconds that an answer
    waits for its entry. ``copy_url``: a SQLAlchemy URL, of PostgreSQL or SQLite. ``commit``: an
    answer leaves when its entry is in the ``journal``, or in the ``copy`` as well.
    """

    folder: Path = Path("journal")
    segment_bytes: int = Field(default=64 * 1024 * 1024, gt=0)
    checkpoint_entries: int = Field(default=10_000, gt=0)
    checkpoint_seconds: float = Field(default=30.0, gt=0, le=60)
    checkpoint_folder: Path | None = None
    timeout: float = Field(default=2.0, gt=0)
    copy_url: str | None = None
    commit: Literal["journal", "copy"] = "journal"

    @model_validator(mode="after")
    def _copy_to_commit_to(self) -> Audit:
        if self.commit == "copy" and self.copy_url is None:
            raise ValueError("audit.commit = copy needs audit.copy_url")
        return self


class Keys(_Part):
    """Where the keys are: in files, or wholly in ``*_value``, which wins and is never shown."""

    token: Path = Path("keys/token.jwk")
    cache: Path = Path("keys/cache.key")
    person_hash: Path = Path("keys/person-hash.key")
    audit_chain: Path = Path("keys/audit-chain.key")
    audit_sign: Path = Path("keys/audit-sign.jwk")
    record_id: Path = Path("keys/record-id.key")
    token_value: SecretStr | None = None
    cache_value: SecretStr | None = None
    person_hash_value: SecretStr | None = None
    audit_chain_value: SecretStr | None = None
    audit_sign_value: SecretStr | None = None
    record_id_value: SecretStr | None = None


class Purpose(_Part):
    """How one procedure's reads are handled.

    ``deferred_days``: a lawful delay (an investigation): so long the people who are read do not see
    it in their access log.
    """

    deferred_days: int = Field(default=0, ge=0)


class Rates(_Part):
    """How much each client may ask for, and how much at once; None: without end.

    ``mismatches_...``: attempts to match a person without success: of one client about one person,
    of one caller, of one client; and after how many about one person, whoever makes them, there is
    an alarm.
    ``cost`` is the bound known before anything is read. A day is a legal day. ``enforced`` False:
    what is beyond a rate is answered and only counted.
    """

    requests_per_minute: int = Field(default=6_000, gt=0)
    cost_per_minute: int = Field(default=50_000_000, gt=0)
    requests_per_day: int | None = Field(default=None, gt=0)
    cost_per_day: int | None = Field(default=None, gt=0)
    anonymous_per_minute: int = Field(default=600, gt=0)
    mismatches_per_person_per_day: int = Field(default=5, gt=0)
    mismatches_per_caller_per_day: int = Field(default=100, gt=0)
    mismatches_per_day: int = Field(default=500, gt=0)
    unidentified_per_caller_per_day: int = Field(default=500, gt=0)
    unidentified_per_day: int = Field(default=5_000, gt=0)
    mismatches_per_person_alarm: int = Field(default=20, gt=0)
    enforced: bool = True
    in_flight: int = Field(default=512, gt=0)


class Client(_Part):
    """What is different for one client, by its name in tokens; None: as ``rates`` has it.

    ``matching``: the client must give the date of birth with each number; ``matching_name``: the
    name too. ``published_only``: it calls published operations and nothing else, whatever its
    tokens permit.
    """

    requests_per_minute: int | None = Field(default=None, gt=0)
    cost_per_minute: int | None = Field(default=None, gt=0)
    requests_per_day: int | None = Field(default=None, gt=0)
    cost_per_day: int | None = Field(default=None, gt=0)
    matching: bool = False
    matching_name: bool = False
    published_only: bool = False


class NumberSettings(_Part):
    """How it is found out whose a number is.

    ``reference``: the database that knows people and all their numbers. ``none`` is the operator's
    word that every number is its holder's only and final one: nothing is looked up, and lists say
    "none" without it. A population database that is not connected never means that.
    """

    reference: Literal["population", "none"] = "population"

    @property
    def are_checked(self) -> bool:
        """Whether a database is asked whose a number is."""
        return self.reference != "none"


class Operations(_Part):
    """Published operations: the folder of their files.

    ``reload_seconds``: between looks at the folder, 0 for never. ``public_catalogue``:
    ``/openapi.json`` shows all of them to everybody, not to each client its own. ``personas``: a
    JSON file of people for the examples in it.
    """

    folder: Path | None = None
    reload_seconds: float = Field(default=2.0, ge=0)
    public_catalogue: bool = False
    personas: Path | None = None


class CacheSettings(_Part):
    """Rows kept in each process: ``bytes`` at most, about; and ``answer_bytes`` of ready answers.

    ``invalidations``: the file by which processes of one machine hear of invalidations where there
    is no Redis.
    """

    bytes: int = Field(default=40 * 2**20, ge=0)
    answer_bytes: int = Field(default=16 * 2**20, ge=0)
    invalidations: Path = Path("cache/invalidations.jsonl")


class Redis(_Part):
    """What processes share. ``timeout``: how long a question to it may take, in seconds.

    ``password_file``: holds the password, which need not stand in ``url`` then.
    """

    url: str | None = Field(default=None, repr=False)
    password_file: Path | None = None
    timeout: float = Field(default=0.05, gt=0)

    def with_password(self, password: str) -> Redis:
        """Return the same with ``password`` in the URL, in place of any that stands there."""
        parsed = urlsplit(self.url or "")
        user, host = parsed.username or "", parsed.netloc.rpartition("@")[2]
        netloc = f"{user}:{quote(password, safe='')}@{host}"
        return self.model_copy(update={"url": parsed._replace(netloc=netloc).geturl()})


#: An origin (RFC 6454) as browsers send it. None for all: a token must not be used from anywhere.
_ORIGIN = r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$"


class Cors(_Part):
    """Which pages of other origins may call the gateway from a browser.

    ``origins``: as browsers send them, without a path; none by default.
    """

    origins: tuple[Annotated[str, StringConstraints(pattern=_ORIGIN)], ...] = ()


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
    connections: Connections = Connections()
    access: Access = Access()
    audit: Audit = Audit()
    keys: Keys = Keys()
    numbers: NumberSettings = NumberSettings()
    purposes: dict[str, Purpose] = {}
    rates: Rates = Rates()
    clients: dict[str, Client] = {}
    redis: Redis = Redis()
    cache: CacheSettings = CacheSettings()
    operations: Operations = Operations()
    maintenance: Path = Path("maintenance/windows.jsonl")
    tables: Path = Path("cache/tables.jsonl")
    databases: dict[str, DatabaseSettings] = {}
    folder: Path = Path()

    @model_validator(mode="before")
    @classmethod
    def _known_variables(cls, values: object) -> object:
        """Refuse a misspelt environment variable, which would count for nothing."""
        for name in settings_variables():
            setting = name.upper().removeprefix(PREFIX).partition("__")[0].lower()
            if setting not in cls.model_fields:
                raise ValueError(f"{name} is no setting")
        return values

    def deferral(self, purpose: str | None) -> timedelta | None:
        """Return how long reads for ``purpose`` are kept from those who are read; None: not."""
        named = self.purposes.get(purpose or "") or self.purposes.get(national(purpose or ""))
        return timedelta(days=named.deferred_days) if named and named.deferred_days else None

    def redis_with_password(self) -> Redis:
        """Return how Redis is reached, its password read; raises OSError."""
        file = self.redis.password_file
        if self.redis.url is None or file is None:
            return self.redis
        return self.redis.with_password(self.path(file).read_text("utf-8").rstrip("\r\n"))

    def path(self, relative: Path) -> Path:
        """Return ``relative`` as seen from the settings file's folder."""
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
        """Take arguments first, then the environment, then the file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def file_of(config: Path | None) -> Path | None:
    """Return the settings file: ``config``, else what JUSTICE_GATEWAY_CONFIG names, else None."""
    return config or (Path(found) if (found := os.environ.get(CONFIG_VARIABLE)) else None)


def settings_variables() -> list[str]:
    """Return the variables of the environment that give a setting."""
    others = {CONFIG_VARIABLE, LOADER_VARIABLE}
    return [
        name
        for name in os.environ
        if name.upper().startswith(PREFIX) and name.upper() not in others
    ]


def load(config: Path | None = None, **arguments: Any) -> Settings:
    """Read the settings.

    ``config`` wins over JUSTICE_GATEWAY_CONFIG; with neither, defaults and environment alone count.
    Raises pydantic's ValidationError for values, FileNotFoundError for a named file that is
    missing.
    """
    named = file_of(config)
    if named is not None and not named.is_file():
        raise FileNotFoundError(f"settings file {named} does not exist")
    if named is not None:
        arguments.setdefault("folder", named.resolve().parent)

    class _Configured(Settings):
        model_config = SettingsConfigDict(toml_file=named)

    return _Configured(**arguments)
