# 2 MB of flash and more, with a network: lwIP in VPORT_LWIP (a folder called lwip_extmod), the port's own network_wlan.c, sockets
# and WebREPL, over the radio in net/ and the boards' common network in ../vport-net.
include boards/ESP8266_GENERIC/mpconfigvariant.mk

CFLAGS += -DVPORT_NET=1
override SRC_C := $(filter-out sdk/noradio.c,$(SRC_C)) network_wlan.c net/wifi.c vport-net/link.c vport-net/station.c

# The first of all folders: here lwipopts.h is somebody's.
VNET := $(VPORT_DIR)-net
INC += -I$(VPORT_DIR)/net/include -I$(VNET)/include -I$(VNET) -I$(VPORT_LWIP)/src/include
$(BUILD)/network_wlan.o: CFLAGS += -include $(VPORT_DIR)/net/lwip14.h
vpath vport-net/%.c $(dir $(VNET))

# The linker scripts put folders of such a name into mapped flash, where the SDK has its own.
vpath %.c $(patsubst %/,%,$(dir $(VPORT_LWIP)))
LIB_SRC_C += $(addprefix lwip_extmod/src/, core/def.c core/dns.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c \
	core/netif.c core/pbuf.c core/raw.c core/stats.c core/tcp.c core/tcp_in.c core/tcp_out.c core/timeouts.c core/udp.c \
	core/ipv4/dhcp.c core/ipv4/etharp.c core/ipv4/icmp.c core/ipv4/igmp.c core/ipv4/ip4.c core/ipv4/ip4_addr.c \
	core/ipv4/ip4_frag.c netif/ethernet.c)
