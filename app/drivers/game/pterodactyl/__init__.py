"""Pterodactyl 1.x, by its application and client APIs. Source: the routes of the panel, 1.11."""
