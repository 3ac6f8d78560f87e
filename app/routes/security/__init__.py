"""The edge: who is asking, may they, and what they are told when not."""
