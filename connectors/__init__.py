"""The connectors: one declaration for each specialised database, and the ways to reach them."""
