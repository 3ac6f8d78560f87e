"""The simulated datacentre: real Redfish in front, machines that behave behind.

`python -m lab serve` runs it; nothing of `app` imports it. To read it, follow a delivery:
`bmc_front` (a BMC's port, log-in and faults) -> `emulator` (sushy-emulator, a process of
its own) -> `bmc_state` (what the BMCs show) -> `machine` (power, POST, boot) -> `ipxe`,
`iso` -> `installers` (Debian, Ubuntu, kickstart; their commands run in `shell`) -> `ssh`.
Beside them: `mailbox`, `web` and `pages`, `store` (what a restart finds again).
"""
