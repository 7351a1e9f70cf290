"""Execution: an operation is prepared, and executed together with others of the same plan.

In the order of a request:

- ``ready_answers`` returns an answer that may be given again; ``repeated_requests`` keeps what
  parsing a body gave.
- ``prepare`` compiles the operation to a plan for the caller's rights (``plan_cache``,
  ``compile_queue``) and enforces its cost.
- ``execute`` chooses between plan and reference executor. ``gather`` collects the requests of one
  program; ``batch`` executes them.
- ``roots`` starts on the root fields, ``steps`` do the work, ``resolve`` finds out whose a number
  is, ``pages`` shows rows and goes on from them. ``decisions`` has the rules of permission and
  protection that every list goes by.
- ``parts`` are what a batch evaluates once. ``emit`` makes the result of each request of them.
- ``reference`` executes field by field: the oracle in tests, and where there is no plan.

``docs/how-it-runs.md`` describes it, with an example.
"""
