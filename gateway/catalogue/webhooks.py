"""The fields by which clients register endpoints for their events; the scope is that of events."""

from __future__ import annotations

#: The root field that lists the webhooks of the client.
FIELD = "webhooks"
#: The mutations of webhooks.
REGISTER, RENEW, END = "registerWebhook", "renewWebhook", "endWebhook"
REPLAY = "replayDeliveries"
WEBHOOK_MUTATIONS = frozenset({REGISTER, RENEW, END, REPLAY})
