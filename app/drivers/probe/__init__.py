"""Who answers at an address."""
