"""Commands on other machines over SSH."""
