"""Settings: what they are, where they come from, and what is wrong with them."""

from gateway.settings.access import (
    Access,
    ClaimNames,
    Cors,
    InterestTerms,
    Keys,
    Purpose,
    TrustedIssuer,
)
from gateway.settings.changes import (
    ChangeSettings,
    FollowSettings,
)
from gateway.settings.databases import (
    Agreement,
    DatabaseSettings,
    MaintenanceWindow,
    NumberSettings,
    RecordSettings,
    RenderingSettings,
    Xroad,
)
from gateway.settings.limits import (
    Client,
    ConnectionLimits,
    Limits,
    RateLimits,
)
from gateway.settings.settings import (
    CONFIG_VARIABLE,
    LOADER_VARIABLE,
    PREFIX,
    Settings,
    file_of,
    load,
    settings_variables,
)
from gateway.settings.sign_in import SignIn
from gateway.settings.storage import (
    Audit,
    CacheSettings,
    InterestSettings,
    OperationSettings,
    Redis,
    TicketSettings,
)
from gateway.settings.streams import StreamSettings
from gateway.settings.urls import (
    is_loopback,
    is_safe_url,
)
from gateway.settings.webhooks import WebhookSettings

__all__ = [
    "CONFIG_VARIABLE",
    "LOADER_VARIABLE",
    "PREFIX",
    "Access",
    "Agreement",
    "Audit",
    "CacheSettings",
    "ChangeSettings",
    "ClaimNames",
    "Client",
    "ConnectionLimits",
    "Cors",
    "DatabaseSettings",
    "FollowSettings",
    "InterestSettings",
    "InterestTerms",
    "Keys",
    "Limits",
    "MaintenanceWindow",
    "NumberSettings",
    "OperationSettings",
    "Purpose",
    "RateLimits",
    "RecordSettings",
    "Redis",
    "RenderingSettings",
    "Settings",
    "SignIn",
    "StreamSettings",
    "TicketSettings",
    "TrustedIssuer",
    "WebhookSettings",
    "Xroad",
    "file_of",
    "is_loopback",
    "is_safe_url",
    "load",
    "settings_variables",
]
