# What a firmware with molt freezes: all that the port's own boards/manifest.py does, and molt. In a manifest of your own,
# which may lie anywhere:
#
#   include("<molt>/micropython/manifest.py")
#   include("$(PORT_DIR)/boards/ESP8266_GENERIC/manifest_2MiB.py")  # asyncio, umqtt, ...: or what you want of it
#   require("aioble")                                               # and whatever else
#
# In which order does not matter, and the port's own manifest may be included beside it. For less than the port has:
# manifest_molt.py.

include("$(PORT_DIR)/boards/manifest.py")

# molt's `inisetup` takes the place of the port's, so that `from inisetup import fwupdate` finds the function. The port's
# manifest is included once, whoever includes it again, and so does not come back with its own.
frozen = include.__self__.files()
frozen[:] = [file for file in frozen if not file.full_path.endswith("esp8266/modules/inisetup.py")]

include("manifest_molt.py")
