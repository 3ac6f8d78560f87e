"""SolusVM 2, by its REST API. Source: solus-go-sdk and the WHMCS module of its maker."""
