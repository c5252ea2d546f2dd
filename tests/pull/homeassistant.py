"""What Home Assistant takes of an `update` entity by MQTT, after its documentation (update.mqtt, mqtt, "MQTT discovery"): keys, types, and
what it does with a message that has anything else. Of the configuration unknown keys are dropped in silence; of a state one unknown key,
or one of another type, and the whole message is."""
from tap import same, true

TEXT, FLAG, LIST = str, bool, list

CONFIG = {
    "availability": LIST, "availability_mode": TEXT, "availability_template": TEXT, "availability_topic": TEXT, "command_topic": TEXT,
    "default_entity_id": TEXT, "device": dict, "device_class": TEXT, "display_precision": int, "enabled_by_default": FLAG, "encoding": TEXT,
    "entity_category": TEXT, "entity_picture": TEXT, "icon": TEXT, "json_attributes_template": TEXT, "json_attributes_topic": TEXT,
    "latest_version_template": TEXT, "latest_version_topic": TEXT, "name": TEXT, "origin": dict, "payload_available": TEXT,
    "payload_install": TEXT, "payload_not_available": TEXT, "qos": int, "release_summary": TEXT, "release_url": TEXT, "retain": FLAG,
    "state_topic": TEXT, "title": TEXT, "unique_id": TEXT, "value_template": TEXT,
}
DEVICE = {
    "configuration_url": TEXT, "connections": LIST, "hw_version": TEXT, "identifiers": LIST, "manufacturer": TEXT, "model": TEXT,
    "model_id": TEXT, "name": TEXT, "serial_number": TEXT, "suggested_area": TEXT, "sw_version": TEXT, "via_device": TEXT,
}
ORIGIN = {"name": TEXT, "sw_version": TEXT, "support_url": TEXT}
STATE = {
    "installed_version": TEXT, "latest_version": TEXT, "title": TEXT, "release_summary": TEXT, "release_url": TEXT, "entity_picture": TEXT,
    "in_progress": FLAG, "update_percentage": int,
}
SUMMARY_MAX = 255
DEFAULT_ONLINE = ("online", "offline")


def check_keys(what, found, known):
    for key, value in found.items():
        true(key in known, f"{what}: {key} is no key of it: {found}")
        same(type(value), known[key], f"{what}: the type of {key}, {value!r}")


def check_config(topic, config):
    """What is published to announce the entity."""
    prefix, component, name, end = topic.split("/")
    same((prefix, component, end), ("homeassistant", "update", "config"), topic)
    true(name and all(c.isascii() and (c.isalnum() or c in "-_") for c in name), f"the name in {topic}")
    check_keys("discovery", config, CONFIG)
    check_keys("device", config["device"], DEVICE)
    check_keys("origin", config["origin"], ORIGIN)
    true(config["origin"].get("name"), "who it is from")
    true(config["unique_id"] and (config["device"].get("identifiers") or config["device"].get("connections")), "what tells the device from others")
    true(config.get("entity_category") in (None, "config", "diagnostic") and config.get("device_class") in (None, "firmware"), str(config))
    true(config["payload_install"], "without it nothing is published at the press of the button")
    for key, value in config.items():
        if key.endswith("_topic"):
            true(0 < len(value.encode()) < 65536 and not set("+#\0") & set(value), f"{key}: {value!r} is a topic, and no filter")


def check_state(state):
    """What is published at state_topic."""
    check_keys("state", {k: v for k, v in state.items() if (k, v) != ("update_percentage", None)}, STATE)
    true(0 <= (state.get("update_percentage") or 0) <= 100, str(state))
    true(len(state.get("release_summary", "")) <= SUMMARY_MAX, str(state))


def check_messages(messages):
    """All that a broker has heard of entities, as (topic, payload)."""
    configs = {topic: payload for topic, payload in messages if topic.endswith("/config")}
    true(configs, "something is announced")
    count = 0
    for topic, config in configs.items():
        check_config(topic, config)
        for at, payload in messages:
            if at == config["state_topic"]:
                check_state(payload)
                count += 1
            elif at == config["availability_topic"]:
                true(payload in (config.get("payload_available", DEFAULT_ONLINE[0]), config.get("payload_not_available", DEFAULT_ONLINE[1])), str(payload))
            elif at == config.get("json_attributes_topic"):
                same(type(payload), dict, "attributes")
    return count
