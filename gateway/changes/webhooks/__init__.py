"""Webhooks of clients: where their events are sent, how, and what waits to be sent.

``gateway.webhooks`` is the door that sends them.
"""
