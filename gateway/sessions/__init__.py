"""Sessions of people who signed in with an OpenID Connect issuer (decision 73)."""
