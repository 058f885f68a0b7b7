"""Stand-ins: pictures and texts that answer tasks that the real service runs on a GPU.

Pure functions on Pillow images: equal parameters give equal results.
"""
