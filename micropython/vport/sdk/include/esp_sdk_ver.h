// The SDK version whose behaviour the virtual SDK follows.
#ifndef VSDK_ESP_SDK_VER_H
#define VSDK_ESP_SDK_VER_H

#define ESP_SDK_VERSION 020200

#endif  // VSDK_ESP_SDK_VER_H
