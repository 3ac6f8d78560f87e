"""Bank transfer and account credit: gateways without a gateway."""

import pytest

from app.core.money import Money
from app.drivers import registry
from app.drivers.errors import Refused
from app.drivers.payment.bank_transfer import BankAccount, BankTransfer
from app.drivers.payment.credit import AccountCredit
from tests.drivers.contract.payment import GatewayContract, request

ACCOUNT = BankAccount(
    holder="Example Hosting Ltd",
    iban="de89370400440532013000",
    bic="COBADEFFXXX",
    bank_name="Example Bank",
)


class TestBankTransfer(GatewayContract):
    @pytest.fixture
    def gateway(self) -> BankTransfer:
        return registry.load("payment", "bank_transfer")(ACCOUNT)

    async def test_the_reference_is_the_invoice_number(self, gateway: BankTransfer) -> None:
        told = dict((await gateway.start(request())).instructions)
        assert told["IBAN"] == "DE89 3704 0044 0532 0130 00"
        assert told["Reference"] == "INV-2026-0001"
        assert told["Amount"] == "€123.45"

    async def test_a_refund_is_a_persons_work(self, gateway: BankTransfer) -> None:
        with pytest.raises(Refused, match=r"€1\.00 back from the bank"):
            await gateway.refund("bank:INV-2026-0001", Money(100, "EUR"), "key")


class TestAccountCredit(GatewayContract):
    @pytest.fixture
    def gateway(self) -> AccountCredit:
        return registry.load("payment", "credit")()

    async def test_it_never_claims_a_success(self, gateway: AccountCredit) -> None:
        with pytest.raises(Refused):
            await gateway.refund("credit:1", Money(100, "EUR"), "key")
