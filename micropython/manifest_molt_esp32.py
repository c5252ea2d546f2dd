# molt's own modules for the esp32 port, and nothing of the port's.
freeze("modules", ("molt_ask.py", "molt_file.py", "molt_upgrade.py"))
freeze("modules_esp32")
