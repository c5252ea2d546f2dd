# What the port freezes for 1 MB, and molt.

include("../../manifest.py")
