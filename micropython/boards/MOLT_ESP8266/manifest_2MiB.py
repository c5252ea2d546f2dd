# What the port freezes for 2 MB and more, and molt.

include("manifest.py")
include("$(MPY_DIR)/extmod/asyncio")
require("ssd1306")
require("upysh")
require("umqtt.simple")
require("umqtt.robust")
