"""OpenStack Ironic, by openstacksdk."""
