# molt's own modules for the esp32 port, and nothing of the port's.
freeze("modules", ("molt_upgrade.py", "molt_ask.py"))
freeze("modules_esp32")
