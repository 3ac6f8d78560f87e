"""What is asked for, of a connection to Nimbus."""

from app.domain.connections.field import Field, secret
from app.domain.connections.provider import Provider

provider = Provider(
    label="Nimbus",
    about="Machines by the hour in three regions.",
    fields=(
        Field(
            name="base_url",
            label="Address",
            help="Of the API.",
            example="https://api.nimbus.example",
        ),
        Field(
            name="region",
            label="Region",
            help="Make a connection for each that you sell.",
            example="fra1",
            pattern="[a-z]{3}[0-9]",
            form="A region is three letters and a digit, such as fra1.",
        ),
        secret("secret", "API token", "Account, API; it may read and write machines."),
    ),
    flows={"order.paid": "vps-nimbus"},
)
