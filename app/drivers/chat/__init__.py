"""Messages to a team's chat."""
