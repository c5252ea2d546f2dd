# What a device's main.py can look like: join the network, serve the page.
import network
import time

import molt_web

station = network.WLAN(network.WLAN.IF_STA)
station.active(True)
station.connect("vboard", "password")  # of the virtual board's access point; put in yours
while not station.isconnected():
    time.sleep_ms(100)
print("http://%s/" % station.ipconfig("addr4")[0])
molt_web.run()
