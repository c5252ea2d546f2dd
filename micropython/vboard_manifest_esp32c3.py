# What is frozen into a firmware with molt for the virtual ESP32-C3.
include("vport-esp32c3/manifest.py")
include("manifest_molt_esp32.py")
