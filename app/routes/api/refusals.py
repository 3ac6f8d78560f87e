"""What the API itself refuses."""

from app.core.errors import Conflict, Refusal


class BadCursor(Refusal):
    code = "api.bad_cursor"

    def __init__(self) -> None:
        super().__init__("This cursor is not one of ours. Begin again without it.")


class ChangedSince(Conflict):
    """The `If-Match` of the request is not the thing's `ETag` any more; `etag` is."""

    code = "api.changed"

    def __init__(self, etag: str) -> None:
        super().__init__("It changed since you read it. Read it again, and decide anew.")
        self.etag = etag
