"""Payments of the simulated datacentre: localstripe, and what Stripe has in front of it.

localstripe keeps the money. Around it stands what a card payment also needs: a browser
library with the Payment Element (`browser/`), and a relay that can lose, repeat or delay
webhooks. Run it with `python -m lab.payments serve`.
"""
