"""The stand-in's own time, which goes on with every call, or when it is told to."""


class Clock:
    """Seconds; `per_call_s` pass with each call, so that nobody waits for installations."""

    def __init__(self, per_call_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.per_call_s = per_call_s

    def tick(self) -> None:
        self.now_s += self.per_call_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
