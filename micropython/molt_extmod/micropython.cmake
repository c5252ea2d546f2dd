# molt as a user C module on the ESP32 family. The file for the ESP8266 is micropython.mk.

add_library(usermod_molt INTERFACE)

set(MOLT_MOD ${CMAKE_CURRENT_LIST_DIR})
get_filename_component(MOLT_TOP ${MOLT_MOD}/../.. REALPATH)

target_sources(usermod_molt INTERFACE
    ${MOLT_MOD}/modmolt.c
    ${MOLT_MOD}/upgrade_obj.c
    ${MOLT_MOD}/standby_api.c
    ${MOLT_MOD}/outcome_api.c
    ${MOLT_MOD}/device_esp32.c
    ${MOLT_MOD}/frozen_esp32.c
    ${MOLT_MOD}/frozen_boot.c
    ${MOLT_MOD}/frozen_import.c
    ${MOLT_MOD}/frozen_api.c
    ${MOLT_MOD}/frozen_names.c
    ${MOLT_MOD}/core.c
    ${MOLT_MOD}/core_lfs.c
    ${MOLT_MOD}/core_frozen.c
    ${MOLT_MOD}/core_esp32.c
    ${MOLT_MOD}/core_idf.c
)

# Behind all of the port's own folders: none of these files may take the place of one of its headers.
set(MOLT_FLAGS
    -idirafter ${MOLT_TOP} -idirafter ${MOLT_MOD} -idirafter ${MOLT_TOP}/include -idirafter ${MOLT_TOP}/src
    -idirafter ${MOLT_TOP}/ports/esp32 -idirafter ${MOLT_TOP}/ports/esp32/prebuilt
    -idirafter ${MOLT_TOP}/ports/idf
    -DMOLT_STANDBY=1
)
# Dynamic frozen modules. MOLT_FROZEN=0, on make's command line or in the environment, leaves them out.
if("$ENV{MOLT_FROZEN}" STREQUAL "0")
    list(APPEND MOLT_FLAGS -DMOLT_FROZEN=0)
endif()
# Delta files. MOLT_DELTA=0 likewise.
if("$ENV{MOLT_DELTA}" STREQUAL "0")
    list(APPEND MOLT_FLAGS -DMOLT_DELTA=0)
endif()

# The search for qstrs preprocesses the sources with flags of its own (py/mkrules.cmake).
list(APPEND MICROPY_CPP_FLAGS_EXTRA ${MOLT_FLAGS})

string(REPLACE "-idirafter;" "SHELL:-idirafter " MOLT_OPTIONS "${MOLT_FLAGS}")
target_compile_options(usermod_molt INTERFACE
    ${MOLT_OPTIONS}
    -Wno-unused-function
    # MICROPY_PORT_INIT_FUNC, for mp_init().
    "$<$<COMPILE_LANGUAGE:C>:SHELL:-include ${MOLT_MOD}/port_init.h>"
)
# import finds dynamic frozen modules: frozen_import.c.
target_link_options(usermod_molt INTERFACE -Wl,--wrap=mp_find_frozen_module)

target_link_libraries(usermod INTERFACE usermod_molt)
