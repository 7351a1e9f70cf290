"""Disclosure control: which counts may be shown, so that nobody can be told from them.

It imports nothing of this project. The statistics of the gateway and the report of the national run
share it (decision 78).
"""
