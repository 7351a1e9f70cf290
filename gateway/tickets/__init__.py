"""Tickets of cases that are checked again once databases answer, sealed until they are fetched."""
