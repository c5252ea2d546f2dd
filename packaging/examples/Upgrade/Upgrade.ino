// Upgrade from /firmware.bin when there is one: put it there by whatever means, and restart.

#include <LittleFS.h>
#include <MoltUpgrade.h>

void setup() {
    Serial.begin(115200);
    LittleFS.begin();
    if (LittleFS.exists("/firmware.bin")) {
        if (Molt.upgrade(LittleFS, "/firmware.bin")) {
            LittleFS.rename("/firmware.bin", "/installed.bin");
            LittleFS.end();
            ESP.restart();
        }
        Serial.println(Molt.error());
    }
}

void loop() {
}
