"""Proxmox VE 8 and 9, by its REST API. Source: the API schema of PVE 9.1 (`pvesh`, apidoc.js)."""
