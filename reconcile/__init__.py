"""The national run: the conflict rules over whole databases, and who may be behind old records.

``gateway`` never imports it, nor it ``gateway``. What it needs of the gateway (settings of the
databases, a journal) is handed to its command as ``reconcile.host.Host``. Decision 77 has the
stages and the files of a run.
"""
