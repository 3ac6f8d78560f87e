"""A stand-in of the Pterodactyl panel: its two APIs, and daemons that take their time.

It refuses what the panel refuses, in the panel's words and shapes. Source: the routes and
validation rules of panel 1.11, in `requests.py`.
"""
