"""SolusVM 1, by its admin API. Source: its maker's WHMCS module and published clients."""
