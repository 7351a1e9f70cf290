"""The steps of a batch, one kind a file; each runs once over all parts that are ready for it.

``STEPS`` in ``gateway.execution.roots`` puts them together; they do not import one another.
"""
