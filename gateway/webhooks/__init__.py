"""Webhooks: a door through which events leave, to the endpoints that clients registered."""
