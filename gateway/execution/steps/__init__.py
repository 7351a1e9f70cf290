"""The steps of a batch, one kind a file. Each runs over all parts that are ready for it.

A step gives each part what it needs, or lets it wait for a column (``PlanBatch.wait``) and ends. It
runs again for the parts that waited. What it has done for a part it reports by
``PlanBatch.finish``. Steps do not import one another: ``gateway.execution.roots`` joins them.
"""
