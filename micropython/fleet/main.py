# What a device's main.py can look like: join the network, ask for what is new.
import asyncio
import network

import molt_pull

station = network.WLAN(network.WLAN.IF_STA)
station.active(True)
station.connect("vboard", "password")  # of the virtual board's access point; put in yours


async def main():
    asyncio.create_task(molt_pull.serve("http://10.0.2.2:8000/manifest.json"))
    while True:
        # What the device is for.
        await asyncio.sleep(60)
        print(molt_pull.status())


asyncio.run(main())
