"""The fields of events and interests, and the scope that they need."""

from __future__ import annotations

#: The scope of callers who register interests, and read events of people in whom they have one.
SCOPE = "events:read"
#: The root fields that read events, and the interests of the client.
FIELD, INTERESTS = "lifeEvents", "interests"
EVENT_FIELDS = frozenset({FIELD, INTERESTS})
#: The mutations that register and end interests.
REGISTER, END = "registerInterest", "endInterest"
INTEREST_MUTATIONS = frozenset({REGISTER, END})
