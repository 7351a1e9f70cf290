"""Changes as they happen: events in the lives of people, from databases to whoever waits for them.

The way of a change: change source -> derive events -> invalidate the cache -> event log -> feed of
a caller.
"""
