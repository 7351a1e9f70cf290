"""Databases that are reached over X-Road (message protocol for REST, version 1.0.4)."""
