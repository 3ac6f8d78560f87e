"""`python -m lab.payments`."""

from lab.payments.cli import main

if __name__ == "__main__":
    main()
