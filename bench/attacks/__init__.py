"""Attacks on a local gateway, bounded in number and time, and their cost to other clients."""
