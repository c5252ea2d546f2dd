// network.WLAN as programs for the esp32 port use it, over a station of the virtual boards' access point. The port's own is for IDF's radio
// and event loop. Its own access point has a switch, and nobody in it.
#include <string.h>

#include "link.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "station.h"

#include "extmod/modnetwork.h"

// The port's numbers of a station's status. [modnetwork.h of ports/esp32, esp_wifi_types.h of IDF]
enum { STAT_WRONG_PASSWORD = 202, STAT_NO_AP_FOUND = 201, STAT_IDLE = 1000, STAT_CONNECTING = 1001, STAT_GOT_IP = 1010 };

#define SCAN_DEADLINE_MS 5000

typedef struct {
    mp_obj_base_t base;
    int interface;
    bool is_active;
} wlan_t;

extern const mp_obj_type_t vport_wlan_type;

static wlan_t wlans[2] = { { { &vport_wlan_type }, MOD_NETWORK_STA_IF, false },
    { { &vport_wlan_type }, MOD_NETWORK_AP_IF, false } };

static mp_obj_t wlan_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 1, false);
    mp_int_t interface = n_args > 0 ? mp_obj_get_int(args[0]) : MOD_NETWORK_STA_IF;
    if (interface != MOD_NETWORK_STA_IF && interface != MOD_NETWORK_AP_IF) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid WLAN interface identifier"));
    }
    return MP_OBJ_FROM_PTR(&wlans[interface == MOD_NETWORK_STA_IF ? 0 : 1]);
}

static wlan_t *station_of(mp_obj_t self_in) {
    wlan_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->interface != MOD_NETWORK_STA_IF) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("STA required"));
    }
    return self;
}

static mp_obj_t wlan_active(size_t n_args, const mp_obj_t *args) {
    wlan_t *self = MP_OBJ_TO_PTR(args[0]);
    if (n_args > 1) {
        self->is_active = mp_obj_is_true(args[1]);
        if (!self->is_active && self->interface == MOD_NETWORK_STA_IF) {
            station_disconnect();
        }
    }
    return mp_obj_new_bool(self->is_active);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(wlan_active_obj, 1, 2, wlan_active);

static mp_obj_t wlan_connect(size_t n_args, const mp_obj_t *args) {
    wlan_t *self = station_of(args[0]);
    if (!self->is_active) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("Wifi Not Started"));
    }
    netif_set_hostname(&link_netif, mod_network_hostname_data);
    station_connect(n_args > 1 ? mp_obj_str_get_str(args[1]) : "", n_args > 2 ? mp_obj_str_get_str(args[2]) : "");
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(wlan_connect_obj, 1, 3, wlan_connect);

static mp_obj_t wlan_disconnect(mp_obj_t self_in) {
    station_of(self_in);
    station_disconnect();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(wlan_disconnect_obj, wlan_disconnect);

static mp_obj_t wlan_isconnected(mp_obj_t self_in) {
    wlan_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bool(self->interface == MOD_NETWORK_STA_IF && station_status() == LINK_GOT_ADDRESS);
}
static MP_DEFINE_CONST_FUN_OBJ_1(wlan_isconnected_obj, wlan_isconnected);

static mp_obj_t wlan_status(size_t n_args, const mp_obj_t *args) {
    static const uint16_t numbers[] = { [LINK_IDLE] = STAT_IDLE,
        [LINK_CONNECTING] = STAT_CONNECTING,
        [LINK_WRONG_PASSWORD] = STAT_WRONG_PASSWORD,
        [LINK_NOT_FOUND] = STAT_NO_AP_FOUND,
        [LINK_FAILED] = STAT_CONNECTING,
        [LINK_GOT_ADDRESS] = STAT_GOT_IP };
    station_of(args[0]);
    if (n_args == 1) {
        return MP_OBJ_NEW_SMALL_INT(numbers[station_status()]);
    }
    if (mp_obj_str_get_qstr(args[1]) != MP_QSTR_rssi) {
        mp_raise_ValueError(MP_ERROR_TEXT("unknown status param"));
    }
    return MP_OBJ_NEW_SMALL_INT(station_is_joined() ? STATION_RSSI : 0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(wlan_status_obj, 1, 2, wlan_status);

static mp_obj_t wlan_ifconfig(size_t n_args, const mp_obj_t *args) {
    station_of(args[0]);
    if (n_args > 1) {
        station_set_static(args[1] != MP_OBJ_NEW_QSTR(MP_QSTR_dhcp));
    }
    return mod_network_nic_ifconfig(&link_netif, n_args - 1, args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(wlan_ifconfig_obj, 1, 2, wlan_ifconfig);

static mp_obj_t wlan_ipconfig(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    station_of(args[0]);
    return mod_network_nic_ipconfig(&link_netif, n_args - 1, args + 1, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(wlan_ipconfig_obj, 1, wlan_ipconfig);

// Settings that nothing comes of are taken.
static mp_obj_t wlan_config(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    (void)kwargs;
    if (n_args == 1) {
        return mp_const_none;
    }
    char name[STATION_NAME_MAX];
    switch (mp_obj_str_get_qstr(args[1])) {
        case MP_QSTR_ssid:
            return mp_obj_new_str(name, station_name(name));
        case MP_QSTR_mac:
            return mp_obj_new_bytes(link_netif.hwaddr, 6);
        case MP_QSTR_channel:
            return MP_OBJ_NEW_SMALL_INT(STATION_CHANNEL);
        case MP_QSTR_hostname:
            return mp_obj_new_str_from_cstr(mod_network_hostname_data);
        default:
            mp_raise_ValueError(MP_ERROR_TEXT("unknown config param"));
    }
}
static MP_DEFINE_CONST_FUN_OBJ_KW(wlan_config_obj, 1, wlan_config);

static struct {
    char name[STATION_NAME_MAX];
    uint32_t size;
    bool is_done;
} found;

static void finish_scan(const uint8_t *name, uint32_t size) {
    memcpy(found.name, name, size);
    found.size = size;
    found.is_done = true;
}

static mp_obj_t wlan_scan(mp_obj_t self_in) {
    wlan_t *self = station_of(self_in);
    if (!self->is_active) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("STA must be active"));
    }
    mp_obj_t list = mp_obj_new_list(0, NULL);
    found.is_done = false;
    station_scan(finish_scan);
    for (uint32_t begin = mp_hal_ticks_ms(); !found.is_done && mp_hal_ticks_ms() - begin < SCAN_DEADLINE_MS;) {
        MICROPY_EVENT_POLL_HOOK
    }
    if (found.is_done && found.size > 0) {
        mp_obj_t row[6] = { mp_obj_new_bytes((const byte *)found.name, found.size),
            mp_obj_new_bytes((const byte *)"\x02\0\0\0\0\x01", 6), MP_OBJ_NEW_SMALL_INT(STATION_CHANNEL),
            MP_OBJ_NEW_SMALL_INT(STATION_RSSI), MP_OBJ_NEW_SMALL_INT(3), mp_const_false };
        mp_obj_list_append(list, mp_obj_new_tuple(6, row));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_1(wlan_scan_obj, wlan_scan);

static const mp_rom_map_elem_t wlan_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_active), MP_ROM_PTR(&wlan_active_obj) },
    { MP_ROM_QSTR(MP_QSTR_connect), MP_ROM_PTR(&wlan_connect_obj) },
    { MP_ROM_QSTR(MP_QSTR_disconnect), MP_ROM_PTR(&wlan_disconnect_obj) },
    { MP_ROM_QSTR(MP_QSTR_isconnected), MP_ROM_PTR(&wlan_isconnected_obj) },
    { MP_ROM_QSTR(MP_QSTR_status), MP_ROM_PTR(&wlan_status_obj) },
    { MP_ROM_QSTR(MP_QSTR_ifconfig), MP_ROM_PTR(&wlan_ifconfig_obj) },
    { MP_ROM_QSTR(MP_QSTR_ipconfig), MP_ROM_PTR(&wlan_ipconfig_obj) },
    { MP_ROM_QSTR(MP_QSTR_config), MP_ROM_PTR(&wlan_config_obj) },
    { MP_ROM_QSTR(MP_QSTR_scan), MP_ROM_PTR(&wlan_scan_obj) },
    { MP_ROM_QSTR(MP_QSTR_IF_STA), MP_ROM_INT(MOD_NETWORK_STA_IF) },
    { MP_ROM_QSTR(MP_QSTR_IF_AP), MP_ROM_INT(MOD_NETWORK_AP_IF) },
};
static MP_DEFINE_CONST_DICT(wlan_locals, wlan_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(vport_wlan_type, MP_QSTR_WLAN, MP_TYPE_FLAG_NONE, make_new, wlan_make_new, locals_dict, &wlan_locals);
