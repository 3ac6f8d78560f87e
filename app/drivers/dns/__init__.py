"""Records on the provider's name servers."""
