"""Pages that people look at: rendered here, without scripts, in Vietnamese and in English.

A page is a door as GraphQL over HTTP is: what it asks goes through ``gateway.request.handle``, with
the same rights, purpose, case number, limits and journal (decision 67).
"""
