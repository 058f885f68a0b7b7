"""Speed of the mock against its peers: `python -m bench`; growth and memory: `python -m bench.scale`."""
