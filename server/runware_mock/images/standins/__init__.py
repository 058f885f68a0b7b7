"""Stand-ins: the pictures and texts that answer tasks which the real service runs on a GPU.

Pure functions on Pillow images: equal parameters give equal results.
"""
