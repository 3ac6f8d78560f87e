"""The benchmarks: `python -m benchmarks`. Each measures its floor or peer in the same run."""
