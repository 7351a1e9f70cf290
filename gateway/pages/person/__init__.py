"""The view of a person: ``/person`` for officers, ``/me`` for citizens, requests to correct."""
