"""Switches and PDUs that are reached: what they say, what they are to do, and where both differ."""
