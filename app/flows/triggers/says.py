"""The `do` of a trigger: its output is what the event said, which is the run's input."""

import msgspec

from app.flows.node import Done, PureDo, Step, StepFailed


class Nothing(msgspec.Struct, frozen=True):
    """It has no parameters."""


def saying(what: type[msgspec.Struct]) -> PureDo:
    """Return a `do` that gives the run's input as `what`; fields that it lacks fail the step."""

    def do(step: Step, _: msgspec.Struct) -> Done:
        try:
            return Done(msgspec.convert(step.input, what, strict=False))
        except msgspec.ValidationError as error:
            raise StepFailed(
                f"the run's input is not what this trigger says: {error}; start it by its event, "
                "or give all of that as its input"
            ) from error

    return do
