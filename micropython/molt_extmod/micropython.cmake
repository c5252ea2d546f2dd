# molt as a user C module on the ESP32 family. The file for the ESP8266 is micropython.mk.

add_library(usermod_molt INTERFACE)

set(MOLT_MOD ${CMAKE_CURRENT_LIST_DIR})
get_filename_component(MOLT_TOP ${MOLT_MOD}/../.. REALPATH)

target_sources(usermod_molt INTERFACE
    ${MOLT_MOD}/modmolt.c
    ${MOLT_MOD}/upgrade_obj.c
    ${MOLT_MOD}/standby_api.c
    ${MOLT_MOD}/device_esp32.c
    ${MOLT_MOD}/core.c
    ${MOLT_MOD}/core_lfs.c
    ${MOLT_MOD}/core_esp32.c
    ${MOLT_MOD}/core_idf.c
)

# Behind all of the port's own folders: none of these files may take the place of one of its headers.
target_compile_options(usermod_molt INTERFACE
    -idirafter ${MOLT_TOP} -idirafter ${MOLT_MOD} -idirafter ${MOLT_TOP}/include -idirafter ${MOLT_TOP}/src
    -idirafter ${MOLT_TOP}/ports/esp32 -idirafter ${MOLT_TOP}/ports/esp32/prebuilt
    -idirafter ${MOLT_TOP}/ports/idf
    -Wno-unused-function
)
target_compile_definitions(usermod_molt INTERFACE MOLT_STANDBY=1)

target_link_libraries(usermod INTERFACE usermod_molt)
