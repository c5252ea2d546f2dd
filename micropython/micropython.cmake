# molt as a user C module of MicroPython's esp32 port:
#   idf.py ... -DUSER_C_MODULES=<molt>/micropython/micropython.cmake -DMICROPY_FROZEN_MANIFEST=<molt>/micropython/manifest_esp32.py
# or make USER_C_MODULES=... FROZEN_MANIFEST=...
include(${CMAKE_CURRENT_LIST_DIR}/molt_extmod/micropython.cmake)
