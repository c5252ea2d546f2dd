# What is frozen into a firmware with molt and a network for the virtual ESP32-C3.
include("vboard_manifest_esp32c3.py")
include("$(MPY_DIR)/extmod/asyncio")
