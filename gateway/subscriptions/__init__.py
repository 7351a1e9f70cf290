"""Subscriptions: answers as they come, over WebSocket and as server-sent events."""
