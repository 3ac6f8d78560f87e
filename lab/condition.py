"""A machine's condition as its parts see it: read from memory, every change kept."""

from lab.faults import Fault
from lab.store import Condition, HttpBoot, InstalledSystem, Override, Store


class KeptCondition:
    """Fault, boot override and disk of one machine; a change is on disk when it returns."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._condition: Condition = store.condition(name)
        self._fault = Fault.parse(self._condition.fault) if self._condition.fault else None

    @property
    def fault(self) -> Fault | None:
        return self._fault

    @property
    def override(self) -> Override:
        return self._condition.override

    @property
    def installed(self) -> InstalledSystem | None:
        return self._condition.installed

    def set_fault(self, fault: Fault | None) -> None:
        self._fault = fault
        self._condition.fault = str(fault) if fault else None
        self._keep()

    def set_override(self, override: Override) -> None:
        if override != self._condition.override:
            self._condition.override = override
            self._keep()

    @property
    def http_boot(self) -> HttpBoot:
        return self._condition.http_boot

    def set_http_boot(self, http_boot: HttpBoot) -> None:
        if http_boot != self._condition.http_boot:
            self._condition.http_boot = http_boot
            self._keep()

    def set_installed(self, system: InstalledSystem | None) -> None:
        self._condition.installed = system
        self._keep()

    def _keep(self) -> None:
        self._store.keep_condition(self._name, self._condition)
