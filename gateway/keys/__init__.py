"""The keys of the gateway, and the files that hold them."""
